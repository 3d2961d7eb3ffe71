/** `dlq stats`: counts the dead letters that wait, by reason and code, and those that were redriven. */
import type { Config } from '../../config.ts'
import {
  isSelected,
  type StoredDeadLetter,
  type Selection,
} from '../../core/dead-letters/stored-dead-letter.ts'
import {
  ForeignDeadLetters,
  scanDeadLetters,
  type DlqReader,
  type ForeignSummary,
} from '../../pipeline/dead-letters/dead-letters.ts'
import { partitionsOf } from '../../pipeline/dead-letters/redrive.ts'
import { withDeadLetters, type DlqConfig } from './dead-letter-topic.ts'
import { selectionOf, type FilterOptions } from './options.ts'
import { createProgress } from './progress.ts'
import { age, count, foreignLines, table } from './render.ts'
import { terminalJson } from '../terminal-json.ts'

export interface StatsOptions extends FilterOptions {
  readonly json?: true
}

export async function stats(
  config: DlqConfig & Pick<Config, 'deadLetters'>,
  options: StatsOptions,
): Promise<void> {
  const nowMs = Date.now()
  const selection = selectionOf(options, nowMs)
  const { maxRedrives } = config.deadLetters
  const found = await withDeadLetters(config, (dlq) => countDeadLetters(dlq, selection, maxRedrives))
  process.stdout.write(options.json ? jsonText(found) : text(found, nowMs))
}

export interface Stats {
  /** The largest first. */
  readonly groups: readonly StatsGroup[]
  readonly waiting: number
  readonly redriven: number
  /** Records in the topic that are neither dead letters nor redrive receipts. */
  readonly other: number
  /** Selected dead letters of other pipelines. They are not counted above. */
  readonly foreign: ForeignSummary
}

export interface StatsGroup {
  readonly reason: string
  readonly code: string
  readonly waiting: number
  /** Those of them that were redriven DEAD_LETTER_MAX_REDRIVES times. */
  readonly atLimit: number
  readonly oldestMs: number
  readonly newestMs: number
}

export async function countDeadLetters(
  dlq: DlqReader,
  selection: Selection,
  maxRedrives: number,
): Promise<Stats> {
  const progress = createProgress(process.stderr, Date.now)
  const onRead = (read: number, total: number): void => progress.show({ read, total, note: '' })
  const groups = new Map<string, StatsGroup>()
  const foreign = new ForeignDeadLetters()
  let redriven = 0
  let other = 0
  try {
    for await (const found of scanDeadLetters({ ...dlq, partitions: partitionsOf(selection), onRead })) {
      if (found.kind === 'other') other += 1
      else if (!isSelected(found.deadLetter, selection)) continue
      else if (found.foreign) foreign.add(found.deadLetter)
      else if (found.redriven) redriven += 1
      else add(groups, found.deadLetter, maxRedrives)
    }
  } finally {
    progress.end()
  }
  const sorted = [...groups.values()].sort((left, right) => right.waiting - left.waiting)
  return {
    groups: sorted,
    waiting: sorted.reduce((sum, one) => sum + one.waiting, 0),
    redriven,
    other,
    foreign: foreign.summary,
  }
}

function add(groups: Map<string, StatsGroup>, deadLetter: StoredDeadLetter, maxRedrives: number): void {
  const { reason, code, failedAtMs, redrives } = deadLetter
  const name = `${reason} ${code}`
  const group = groups.get(name)
  groups.set(name, {
    reason,
    code,
    waiting: (group?.waiting ?? 0) + 1,
    atLimit: (group?.atLimit ?? 0) + (redrives >= maxRedrives ? 1 : 0),
    oldestMs: Math.min(group?.oldestMs ?? Infinity, failedAtMs),
    newestMs: Math.max(group?.newestMs ?? -Infinity, failedAtMs),
  })
}

function jsonText({ groups, waiting, redriven, other, foreign }: Stats): string {
  const made = groups.map(({ reason, code, oldestMs, newestMs, ...counts }) => ({
    reason,
    code,
    ...counts,
    oldest: new Date(oldestMs).toISOString(),
    newest: new Date(newestMs).toISOString(),
  }))
  return `${terminalJson({ waiting, redriven, other, foreign, groups: made })}\n`
}

function text({ groups, waiting, redriven, other, foreign }: Stats, nowMs: number): string {
  const rows = groups.map((group) => [
    group.reason,
    group.code,
    String(group.waiting),
    String(group.atLimit),
    age(nowMs - group.oldestMs),
    age(nowMs - group.newestMs),
  ])
  const head = ['REASON', 'CODE', 'WAITING', 'MAX REDRIVES', 'OLDEST', 'NEWEST']
  const others = other === 0 ? '' : `, ${count(other, 'record')} not written by the service`
  return [
    ...(rows.length === 0 ? [] : [table(head, rows)]),
    `${waiting} waiting, ${redriven} redriven${others}.`,
    ...foreignLines(foreign),
  ]
    .map((line) => `${line}\n`)
    .join('')
}
