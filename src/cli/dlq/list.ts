/** `dlq list`: lists the newest dead letters that wait, or those that were redriven. */
import { isSelected, type Selection } from '../../core/dead-letters/stored-dead-letter.ts'
import {
  ForeignDeadLetters,
  scanDeadLetters,
  type DlqReader,
  type ForeignSummary,
} from '../../pipeline/dead-letters/dead-letters.ts'
import { partitionsOf } from '../../pipeline/dead-letters/redrive.ts'
import { withDeadLetters, type DlqConfig } from './dead-letter-topic.ts'
import { createEventReader } from './event-reader.ts'
import { selectionOf, type FilterOptions } from './options.ts'
import { createProgress } from './progress.ts'
import { count, deadLetterJson, deadLetterTable, foreignLines, type ListedDeadLetter } from './render.ts'
import { TransactionFilter, unreadLines, type Unread } from './transaction-filter.ts'
import { terminalJson } from '../terminal-json.ts'

export interface ListOptions extends FilterOptions {
  readonly limit: number
  readonly redriven?: true
  readonly transactionId?: string
  readonly showTransactionIds?: true
  readonly json?: true
}

export async function list(config: DlqConfig, options: ListOptions): Promise<void> {
  const nowMs = Date.now()
  const selection = selectionOf(options, nowMs)
  const { limit, redriven = false, transactionId = null, showTransactionIds = false } = options
  const transactions =
    transactionId === null && !showTransactionIds
      ? null
      : new TransactionFilter(await createEventReader(config), transactionId)
  const found = await withDeadLetters(config, (dlq) =>
    newestDeadLetters(dlq, selection, { limit, redriven, transactions }),
  )
  process.stdout.write(options.json ? jsonText(found) : listText(found, nowMs, options))
}

export interface Newest {
  /** Newest first. */
  readonly deadLetters: readonly ListedDeadLetter[]
  /** Those that were selected, shown or not. */
  readonly total: number
  /** Those that were selected and belong to other pipelines. */
  readonly foreign: ForeignSummary
  /** Counts the events that could not be read; null if no event had to be read. */
  readonly unread: Unread | null
}

interface Wanted {
  readonly limit: number
  readonly redriven: boolean
  /** If it is null, no event is read. */
  readonly transactions: TransactionFilter | null
}

/** Keeps at most twice `limit` dead letters in memory. */
export async function newestDeadLetters(
  dlq: DlqReader,
  selection: Selection,
  { limit, redriven, transactions }: Wanted,
): Promise<Newest> {
  const progress = createProgress(process.stderr, Date.now)
  const onRead = (read: number, total: number): void => progress.show({ read, total, note: '' })
  const foreign = new ForeignDeadLetters()
  let deadLetters: ListedDeadLetter[] = []
  let total = 0
  try {
    for await (const found of scanDeadLetters({ ...dlq, partitions: partitionsOf(selection), onRead })) {
      if (found.kind === 'other' || found.redriven !== redriven) continue
      if (!isSelected(found.deadLetter, selection)) continue
      if (found.foreign) {
        foreign.add(found.deadLetter)
        continue
      }
      const transactionId = await transactions?.read(found.record)
      if (transactionId === 'another') continue
      total += 1
      deadLetters.push(
        transactionId === undefined
          ? found.deadLetter
          : { ...found.deadLetter, transactionId: transactionId.id },
      )
      if (deadLetters.length >= 2 * limit) deadLetters = newestOf(deadLetters, limit)
    }
  } finally {
    progress.end()
  }
  const unread = transactions?.unread ?? null
  return { deadLetters: newestOf(deadLetters, limit), total, foreign: foreign.summary, unread }
}

function newestOf(deadLetters: readonly ListedDeadLetter[], limit: number): ListedDeadLetter[] {
  return deadLetters
    .toSorted(
      (left, right) =>
        right.failedAtMs - left.failedAtMs ||
        left.partition - right.partition ||
        Number(right.offset - left.offset),
    )
    .slice(0, limit)
}

function jsonText({ deadLetters, total, foreign, unread }: Newest): string {
  const made = {
    total,
    deadLetters: deadLetters.map(deadLetterJson),
    foreign,
    ...(unread === null ? {} : { unread }),
  }
  return `${terminalJson(made)}\n`
}

export function listText(
  { deadLetters, total, foreign, unread }: Newest,
  nowMs: number,
  { redriven, transactionId }: Pick<ListOptions, 'redriven' | 'transactionId'>,
): string {
  const more = total - deadLetters.length
  const none = `No ${redriven === true ? 'redriven dead letters' : 'dead letters'}${transactionId === undefined ? '' : ' of this transaction'}.`
  return [
    ...(total === 0 ? [none] : [deadLetterTable(deadLetters, nowMs)]),
    ...(more === 0 ? [] : [`${count(more, 'older dead letter')} not shown: use --limit to show more.`]),
    ...(unread === null ? [] : unreadLines(unread)),
    ...foreignLines(foreign),
  ]
    .map((line) => `${line}\n`)
    .join('')
}
