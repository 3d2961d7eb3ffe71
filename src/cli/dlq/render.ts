/** Dead letters as tables, lines and JSON. Pure. Keys and values of records are not part of any of it. */
import Table from 'cli-table3'
import { positionName, type StoredDeadLetter } from '../../core/dead-letters/stored-dead-letter.ts'
import type { ForeignSummary } from '../../pipeline/dead-letters/dead-letters.ts'

const DAY_MS = 86_400_000
const UNITS = [
  ['d', DAY_MS],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** Rounded down, in the largest unit that fits: `3d`, `25m`. */
export function age(ms: number): string {
  const [unit, unitMs] = UNITS.find(([, one]) => ms >= one) ?? ['s', 1_000]
  return `${Math.max(0, Math.floor(ms / unitMs))}${unit}`
}

export function sourceName({ source }: StoredDeadLetter): string {
  return source === null ? 'unknown' : `${source.topic}:${source.partition}:${source.offset}`
}

/** Without lines or colors, so that it can be read, cut and searched. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const made = new Table({
    head: [...head],
    chars: BARE,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  })
  made.push(...rows.map((row) => [...row]))
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

const BARE = Object.fromEntries(
  [
    ['top', 'top-mid', 'top-left', 'top-right'],
    ['bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ]
    .flat()
    .map((name) => [name, '']),
)

export interface ListedDeadLetter extends StoredDeadLetter {
  /** Null if the event cannot be read; absent if transaction ids were not asked for. */
  readonly transactionId?: string | null
}

/** With a column for the transaction if ids were read. */
export function deadLetterTable(deadLetters: readonly ListedDeadLetter[], nowMs: number): string {
  const withIds = deadLetters.some(({ transactionId }) => transactionId !== undefined)
  return table(
    [
      'POSITION',
      'REASON',
      'CODE',
      'AGE',
      'ATTEMPTS',
      'EARLIER REDRIVES',
      'EVENT',
      ...(withIds ? ['TRANSACTION'] : []),
    ],
    deadLetters.map((deadLetter) => [
      positionName(deadLetter),
      deadLetter.reason,
      deadLetter.code,
      age(nowMs - deadLetter.failedAtMs),
      String(deadLetter.attempts),
      String(deadLetter.redrives),
      sourceName(deadLetter),
      ...(withIds ? [deadLetter.transactionId ?? 'unknown'] : []),
    ]),
  )
}

/** Offsets are text, because JavaScript's numbers cannot hold all of them. */
export function deadLetterJson(deadLetter: ListedDeadLetter): Readonly<Record<string, unknown>> {
  const { reason, code, stage, message, service, attempts, redrives, source, leftOut, transactionId } =
    deadLetter
  return {
    position: positionName(deadLetter),
    reason,
    code,
    stage,
    message,
    failedAt: new Date(deadLetter.failedAtMs).toISOString(),
    attempts,
    redrives,
    service,
    source: source === null ? null : { ...source, offset: String(source.offset) },
    leftOut,
    ...(transactionId === undefined ? {} : { transactionId }),
  }
}

/** Empty if there are no such dead letters. */
export function foreignLines({ total, topics, positions }: ForeignSummary): string[] {
  if (total === 0) return []
  const more = total - positions.length
  return [
    `${count(total, 'dead letter')} of other pipelines ignored, because the events are not from KAFKA_INPUT_TOPIC or its retry topics ` +
      `(${topics.join(', ')}): ${positions.join(', ')}${more === 0 ? '' : ` and ${more} more`}.`,
  ]
}

export function count(amount: number, one: string, many = `${one}s`): string {
  return `${amount} ${amount === 1 ? one : many}`
}
