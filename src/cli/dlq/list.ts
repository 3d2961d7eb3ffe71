/** `dlq list`: the newest letters that wait, or those that were put back. */
import { isSelected, type StoredDeadLetter, type Selection } from '../../core/stored-dead-letter.ts'
import {
  ForeignDeadLetters,
  scanDeadLetters,
  type DlqReader,
  type ForeignSummary,
} from '../../pipeline/dead-letters.ts'
import { partitionsOf } from '../../pipeline/redrive.ts'
import { withDeadLetters, type DlqConfig } from './dead-letter-topic.ts'
import { selectionOf, type FilterOptions } from './options.ts'
import { createProgress } from './progress.ts'
import { count, foreignLines, deadLetterJson, deadLetterTable } from './render.ts'

export interface ListOptions extends FilterOptions {
  readonly limit: number
  readonly redriven?: true
  readonly json?: true
}

export async function list(config: DlqConfig, options: ListOptions): Promise<void> {
  const nowMs = Date.now()
  const selection = selectionOf(options, nowMs)
  const found = await withDeadLetters(config, (dlq) =>
    newestDeadLetters(dlq, selection, { limit: options.limit, redriven: options.redriven === true }),
  )
  process.stdout.write(options.json ? jsonText(found) : text(found, nowMs, options))
}

export interface Newest {
  /** Newest first. */
  readonly deadLetters: readonly StoredDeadLetter[]
  /** Those that were selected, shown or not. */
  readonly total: number
  /** Those that were selected and belong to other pipelines. */
  readonly foreign: ForeignSummary
}

interface Wanted {
  readonly limit: number
  readonly redriven: boolean
}

/** Keeps twice as many as are wanted, at most. */
export async function newestDeadLetters(
  dlq: DlqReader,
  selection: Selection,
  { limit, redriven }: Wanted,
): Promise<Newest> {
  const progress = createProgress(process.stderr, Date.now)
  const onRead = (read: number, total: number): void => progress.show({ read, total, note: '' })
  const foreign = new ForeignDeadLetters()
  let deadLetters: StoredDeadLetter[] = []
  let total = 0
  try {
    for await (const found of scanDeadLetters({ ...dlq, partitions: partitionsOf(selection), onRead })) {
      if (found.kind === 'other' || found.redriven !== redriven) continue
      if (!isSelected(found.deadLetter, selection)) continue
      if (found.foreign) {
        foreign.add(found.deadLetter)
        continue
      }
      total += 1
      deadLetters.push(found.deadLetter)
      if (deadLetters.length >= 2 * limit) deadLetters = newestOf(deadLetters, limit)
    }
  } finally {
    progress.end()
  }
  return { deadLetters: newestOf(deadLetters, limit), total, foreign: foreign.summary }
}

function newestOf(deadLetters: readonly StoredDeadLetter[], limit: number): StoredDeadLetter[] {
  return deadLetters
    .toSorted(
      (left, right) =>
        right.failedAtMs - left.failedAtMs ||
        left.partition - right.partition ||
        Number(right.offset - left.offset),
    )
    .slice(0, limit)
}

function jsonText({ deadLetters, total, foreign }: Newest): string {
  return `${JSON.stringify({ total, deadLetters: deadLetters.map(deadLetterJson), foreign }, null, 2)}\n`
}

function text({ deadLetters, total, foreign }: Newest, nowMs: number, { redriven }: ListOptions): string {
  const none = redriven ? 'No letter was put back.' : 'No dead letters.'
  const more = total - deadLetters.length
  return [
    ...(total === 0 ? [none] : [deadLetterTable(deadLetters, nowMs)]),
    ...(more === 0 ? [] : [`and ${count(more, 'older one')}: --limit shows more.`]),
    ...foreignLines(foreign),
  ]
    .map((line) => `${line}\n`)
    .join('')
}
