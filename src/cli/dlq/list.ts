/** `dlq list`: the newest letters that wait, or those that were put back. */
import type { Config } from '../../config.ts'
import { isSelected, type Letter, type Selection } from '../../core/letter.ts'
import {
  ForeignLetters,
  scanLetters,
  type DeadLetterSource,
  type ForeignSummary,
} from '../../pipeline/dead-letters.ts'
import { partitionsOf } from '../../pipeline/redrive.ts'
import { withDeadLetters } from './dead-letter-topic.ts'
import { selectionOf, type FilterOptions } from './options.ts'
import { createProgress } from './progress.ts'
import { count, foreignLines, letterJson, letterTable } from './render.ts'

export interface ListOptions extends FilterOptions {
  readonly limit: number
  readonly redriven?: true
  readonly json?: true
}

export async function list(config: Config, options: ListOptions): Promise<void> {
  const nowMs = Date.now()
  const selection = selectionOf(options, nowMs)
  const found = await withDeadLetters(config, (source) =>
    newestLetters(source, selection, { limit: options.limit, redriven: options.redriven === true }),
  )
  process.stdout.write(options.json ? jsonText(found) : text(found, nowMs, options))
}

export interface Newest {
  /** Newest first. */
  readonly letters: readonly Letter[]
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
export async function newestLetters(
  source: DeadLetterSource,
  selection: Selection,
  { limit, redriven }: Wanted,
): Promise<Newest> {
  const progress = createProgress(process.stderr, Date.now)
  const onRead = (read: number, total: number): void => progress.show({ read, total, note: '' })
  const foreign = new ForeignLetters()
  let letters: Letter[] = []
  let total = 0
  try {
    for await (const found of scanLetters({ ...source, partitions: partitionsOf(selection), onRead })) {
      if (found.kind === 'other' || found.redriven !== redriven) continue
      if (!isSelected(found.letter, selection)) continue
      if (found.foreign) {
        foreign.add(found.letter)
        continue
      }
      total += 1
      letters.push(found.letter)
      if (letters.length >= 2 * limit) letters = newestOf(letters, limit)
    }
  } finally {
    progress.end()
  }
  return { letters: newestOf(letters, limit), total, foreign: foreign.summary }
}

function newestOf(letters: readonly Letter[], limit: number): Letter[] {
  return letters
    .toSorted(
      (left, right) =>
        right.failedAtMs - left.failedAtMs ||
        left.partition - right.partition ||
        Number(right.offset - left.offset),
    )
    .slice(0, limit)
}

function jsonText({ letters, total, foreign }: Newest): string {
  return `${JSON.stringify({ total, letters: letters.map(letterJson), foreign }, null, 2)}\n`
}

function text({ letters, total, foreign }: Newest, nowMs: number, { redriven }: ListOptions): string {
  const none = redriven ? 'No letter was put back.' : 'No dead letters.'
  const more = total - letters.length
  return [
    ...(total === 0 ? [none] : [letterTable(letters, nowMs)]),
    ...(more === 0 ? [] : [`and ${count(more, 'older one')}: --limit shows more.`]),
    ...foreignLines(foreign),
  ]
    .map((line) => `${line}\n`)
    .join('')
}
