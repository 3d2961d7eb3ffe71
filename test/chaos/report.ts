/** The figures of a run: a table on the terminal and a file. */
import { writeFileSync } from 'node:fs'
import Table from 'cli-table3'
import type { Options } from './options.ts'
import { holds, type Figures } from './scenario.ts'

const FILE = 'chaos-report.json'

/** After each scenario: a run that is cut short has its figures all the same. */
export function keepFigures(played: readonly Figures[], options: Options): void {
  writeFileSync(FILE, `${JSON.stringify({ ...options, scenarios: played }, null, 2)}\n`)
}

export function printTable(played: readonly Figures[], { seed }: Options): void {
  const table = new Table({
    head: ['', 'scenario', 'events', 'lost', 'repeated', 'early', 'back at work after', 'allowed'],
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
