/** Describes what a run found, for the terminal and a file. */
import { appendFileSync } from 'node:fs'
import Table from 'cli-table3'
import type { Delivery } from '../../src/core/delivery.ts'
import { PROBLEMS, type Problem, type ProblemKind } from './ledger.ts'
import type { Outcome } from './kinds.ts'

export interface Figures {
  readonly seed: number
  readonly records: number
  readonly delivery: Delivery
  readonly seconds: number
  readonly sent: number
  readonly aborted: number
  readonly refused: number
  readonly skipped: number
  readonly givenUp: number
  readonly calls: number
  readonly outages: readonly string[]
  readonly counts: Readonly<Record<string, Readonly<Record<Outcome, number>>>>
  readonly problems: readonly Problem[]
  readonly problemCount: Readonly<Record<ProblemKind, number>>
  readonly latencyP50Ms: number
  readonly latencyMaxMs: number
  readonly peakMemoryMb: number
  readonly logLines: number
  readonly isAlive: boolean
  readonly exitCode: number | null
  readonly stopMs: number
}

export const NO_PROBLEMS = Object.fromEntries(PROBLEMS.map((kind) => [kind, 0]))
export const FILE = 'fuzz-report.json'
const MAX_SHOWN = 60
const MAX_NUMBERS = 5

export function keepFigures(figures: Figures): void {
  appendFileSync(FILE, `${JSON.stringify(figures)}\n`)
}

export function describe(figures: Figures): string {
  const table = new Table({
    head: ['kind', 'result', 'dead letter', 'skipped'],
    style: { head: [], border: [] },
  })
  for (const [kind, counts] of Object.entries(figures.counts))
    table.push([kind, counts.result, counts['dead-letter'], counts.skip])
  const { problemCount, problems } = figures
  const found = PROBLEMS.map((kind) => `${problemCount[kind]} ${kind}`).join(', ')
  return [
    `Seed ${figures.seed}, ${figures.delivery}: ${figures.sent} records in ${Math.round(figures.seconds)} s, ${figures.calls} calls, ${figures.aborted} records aborted, ${figures.refused} records rejected by the broker, ${figures.skipped} skipped, ${figures.givenUp} dead letters because a retried event reached its maximum age.`,
    table.toString(),
    `Account-wide outages of the simulated API: ${figures.outages.join(', ') || 'none'}.`,
    `Latency of good events: median ${Math.round(figures.latencyP50Ms)} ms, maximum ${Math.round(figures.latencyMaxMs)} ms. Peak memory ${Math.round(figures.peakMemoryMb)} MB. ${figures.logLines} log lines. The service ${figures.isAlive ? 'was still running' : 'had ended'} at the end of the run. After SIGTERM: exit code ${figures.exitCode} after ${Math.round(figures.stopMs)} ms.`,
    `Problems: ${found}.`,
    ...groupsOf(problems).slice(0, MAX_SHOWN),
    ...(problems.length > 0 ? [replay(figures)] : []),
  ].join('\n')
}

/** One line for problems whose texts differ only in numbers, with the first few records that show it. */
function groupsOf(problems: readonly Problem[]): string[] {
  const groups = Map.groupBy(problems, ({ kind, about, detail }) =>
    `${kind} (${about}): ${detail}`.replaceAll(/\d+/g, 'N'),
  )
  return [...groups.values()]
    .toSorted((one, other) => other.length - one.length)
    .map((group) => lineOf(group))
}

function lineOf(group: readonly Problem[]): string {
  const [first] = group
  const numbers = group.flatMap(({ number }) => (number === null ? [] : [number])).slice(0, MAX_NUMBERS)
  const where = numbers.length === 0 ? '' : ` [records ${numbers.join(', ')}]`
  return `  ${group.length} ${first?.kind} (${first?.about}): ${first?.detail}${where}`
}

function replay({ seed, records, delivery, problems }: Figures): string {
  const number = problems.find((problem) => problem.number !== null)?.number ?? 0
  return `Replay a single record: npm run test:fuzz -- --seed ${seed} --records ${records} --delivery ${delivery} --only ${number}`
}
