/** The figures of a run: a table on the terminal and a file. */
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
  'what happens',
  'most in a second',
  'used',
  'meanwhile',
  'throttled',
  'unfairness',
  'wait p99',
]

/** After each case: a run that is cut short has its figures all the same. */
export function keepFigures(played: readonly Figures[], options: Options): void {
  writeFileSync(FILE, `${JSON.stringify({ ...options, cases: played }, null, 2)}\n`)
}

/** For docs/quota.md: the figures of a run in which every case passed. */
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
  'used: in calm; of N in Redis mode, of the shares of replicas with work in partition mode.',
  'meanwhile: of N, from before it happens until calm.',
  'unfairness: most calls per permit of its own that a replica with work made, divided by the least.',
].join('\n')
