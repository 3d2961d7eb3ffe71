/** Prints the figures of a run as a table and writes them to a file. */
import { writeFileSync } from 'node:fs'
import Table from 'cli-table3'
import { writeMeasuredPages } from '../../dev/generate-benchmarks.ts'
import { keepRun, originOf, type ChaosRun } from '../../dev/measurements.ts'
import { commandText } from '../support/arguments.ts'
import type { Options } from './options.ts'
import type { Growth } from './samples.ts'
import { holds, type Figures } from './scenario.ts'

const FILE = 'chaos-report.json'

/** Called after each scenario, so that an aborted run also leaves figures. */
export function keepFigures(played: readonly Figures[], options: Options): void {
  writeFileSync(FILE, `${JSON.stringify({ ...options, scenarios: played }, null, 2)}\n`)
}

/** Saves a run in which every scenario passed, for the table in docs/failure-modes.md. */
export async function saveFigures(played: readonly Figures[], options: Options): Promise<void> {
  const { short, only, seed, events } = options
  const command = commandText('test:chaos', { short, only: only.join(','), seed, events })
  keepRun('chaos', { ...originOf(command), scenarios: played.map(savedFigures) })
  await writeMeasuredPages()
}

export function savedFigures({ early, recoveries, ...figures }: Figures): ChaosRun['scenarios'][number] {
  return {
    name: figures.name,
    fault: figures.fault,
    events: figures.events,
    lost: figures.lost,
    repeated: figures.repeated + figures.strange,
    early: early.length,
    recoveries: slowest(recoveries),
  }
}

/** The slowest recovery for each step that a scenario repeats. */
function slowest(recoveries: Figures['recoveries']): readonly { what: string; seconds: number }[] {
  const byStep = new Map<string, number>()
  for (const { what, seconds } of recoveries) byStep.set(what, Math.max(seconds, byStep.get(what) ?? 0))
  return [...byStep].map(([what, seconds]) => ({ what, seconds }))
}

export function printTable(played: readonly Figures[], { seed }: Options): void {
  const table = new Table({
    head: ['', 'scenario', 'events', 'lost', 'repeated', 'early', 'work resumed after', 'limit'],
    style: { head: [], border: [] },
  })
  for (const figures of played) {
    table.push([
      holds(figures) ? 'ok' : 'FAILED',
      figures.name,
      figures.events,
      figures.lost,
      figures.repeated + figures.strange,
      figures.early.length,
      figures.recoveries.map(({ what, seconds }) => `${seconds.toFixed(1)} s (${what})`).join('\n'),
      figures.recoveries.map(({ boundS }) => `${boundS} s`).join('\n'),
    ])
  }
  process.stdout.write(`\nSeed ${seed}\n${table.toString()}\n`)
}

/** Saves a soak run for docs/benchmarks.md. */
export async function saveSoak(
  { events, lost, repeated }: Pick<Figures, 'events' | 'lost' | 'repeated'>,
  replicas: readonly Growth[],
): Promise<void> {
  keepRun('soak', {
    ...originOf(commandText('test:chaos', { soak: events })),
    events,
    lost,
    repeated,
    replicas,
  })
  await writeMeasuredPages()
}
