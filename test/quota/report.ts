/** Prints the figures of a run as a table and writes them to a file. */
import { writeFileSync } from 'node:fs'
import Table from 'cli-table3'
import { LOAD_NAMES, type Load } from './loads.ts'
import { writeMeasuredPages } from '../../dev/generate-benchmarks.ts'
import { keepRun, originOf } from '../../dev/measurements.ts'
import { commandText } from '../support/arguments.ts'
import type { Options } from './options.ts'
import { percent, type Figures } from './promises.ts'
import { rowsOf } from './saved-rows.ts'

const FILE = 'quota-report.json'
const HEAD = [
  '',
  'mode',
  'N',
  'replicas',
  'backlog',
  'disturbance',
  'max in a second',
  'used',
  'used when disturbed',
  'throttled',
  'unfairness',
  'wait p99',
]

/** Called after each case, so that an aborted run also leaves figures. */
export function keepFigures(played: readonly Figures[], options: Options): void {
  writeFileSync(FILE, `${JSON.stringify({ ...options, cases: played }, null, 2)}\n`)
}

/** Saves a run in which every case passed, for the table in docs/quota.md. */
export async function saveFigures(played: readonly Figures[], options: Options): Promise<void> {
  const { short, only, seed } = options
  const shown = { short, only: only.join(','), seed }
  keepRun('quota', {
    ...originOf(commandText('test:quota', shown)),
    cases: played.length,
    rows: rowsOf(played),
  })
  await writeMeasuredPages()
}

export function printTable(played: readonly Figures[], { seed }: Options): void {
  const table = new Table({ head: HEAD, style: { head: [], border: [] } })
  for (const figures of played) table.push(rowOf(figures))
  process.stdout.write(`\nSeed ${seed}\n${table.toString()}\n${EXPLAINED}\n`)
}

function rowOf(figures: Figures): string[] {
  const { mode, permits, replicas, load, what, max, used, usedMeanwhile, calls } = figures
  return [
    figures.broken.length === 0 ? 'ok' : 'FAILED',
    mode,
    String(permits),
    String(replicas),
    LOAD_NAMES[load as Load],
    what,
    String(max),
    percent(used),
    usedMeanwhile === null ? '' : percent(usedMeanwhile),
    `${figures.throttled} of ${calls}`,
    figures.unfairness === null ? '' : figures.unfairness.toFixed(2),
    figures.waitP99Ms === null ? '' : `${figures.waitP99Ms} ms`,
  ]
}

const EXPLAINED = [
  'used: share of the quota used in steady state (Redis mode: of N; partition mode: of the shares of replicas with work).',
  'used when disturbed: share of N used from before the disturbance until steady state.',
  'unfairness: maximum divided by minimum of the calls per own permit over all replicas with work.',
].join('\n')
