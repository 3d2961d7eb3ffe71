/** Letters in words, tables and JSON. Pure. Keys and values of records are no part of any of it. */
import Table from 'cli-table3'
import { positionName, type StoredDeadLetter } from '../../core/stored-dead-letter.ts'
import type { ForeignSummary } from '../../pipeline/dead-letters.ts'

const DAY_MS = 86_400_000
const UNITS = [
  ['d', DAY_MS],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** In the largest unit that is not more than it: `3d`, `25m`. */
export function age(ms: number): string {
  const [unit, unitMs] = UNITS.find(([, one]) => ms >= one) ?? ['s', 1_000]
  return `${Math.max(0, Math.floor(ms / unitMs))}${unit}`
}

export function sourceName({ source }: StoredDeadLetter): string {
  return source === null ? 'unknown' : `${source.topic}:${source.partition}:${source.offset}`
}

/** Without lines or colors: made to be read, cut and searched. */
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

export function deadLetterTable(deadLetters: readonly StoredDeadLetter[], nowMs: number): string {
  return table(
    ['AT', 'REASON', 'CODE', 'AGE', 'ATTEMPTS', 'REDRIVES', 'EVENT'],
    deadLetters.map((deadLetter) => [
      positionName(deadLetter),
      deadLetter.reason,
      deadLetter.code,
      age(nowMs - deadLetter.failedAtMs),
      String(deadLetter.attempts),
      String(deadLetter.redrives),
      sourceName(deadLetter),
    ]),
  )
}

/** For programs. Offsets are text: they may be larger than their numbers. */
export function deadLetterJson(deadLetter: StoredDeadLetter): Readonly<Record<string, unknown>> {
  const { reason, code, stage, message, service, attempts, redrives, source, leftOut } = deadLetter
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
  }
}

/** None if there are none. */
export function foreignLines({ total, topics, positions }: ForeignSummary): string[] {
  if (total === 0) return []
  const more = total - positions.length
  return [
    `${count(total, 'letter')} of another pipeline left alone (${count(topics.length, 'topic')}: ${topics.join(', ')}) at ` +
      `${positions.join(', ')}${more === 0 ? '' : ` and ${more} more`}: only events of KAFKA_INPUT_TOPIC and our retry topics are ours.`,
  ]
}

export function count(amount: number, one: string, many = `${one}s`): string {
  return `${amount} ${amount === 1 ? one : many}`
}
