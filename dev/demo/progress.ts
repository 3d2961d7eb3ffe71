/** Shows progress: a bar and a table that redraw on a terminal, otherwise one line per second. */
import { styleText } from 'node:util'
import Table from 'cli-table3'
import { createLogUpdate } from 'log-update'
import type { Figures } from './figures.ts'
import { bar, percent } from './format.ts'

export interface Moment {
  readonly planned: number
  readonly sent: number
  readonly seconds: number
  readonly qps: number
  readonly figures: Figures
}

export interface Display {
  readonly intervalMs: number
  show(moment: Moment): void
  /** Leaves the last update on the screen. */
  end(): void
}

const BAR_WIDTH = 46

export function createDisplay(stream: NodeJS.WriteStream): Display {
  return stream.isTTY ? terminal(stream) : plain(stream)
}

function terminal(stream: NodeJS.WriteStream): Display {
  const update = createLogUpdate(stream)
  return {
    intervalMs: 200,
    show: (moment) => update(`\n${picture(moment)}`),
    end: () => update.done(),
  }
}

function plain(stream: NodeJS.WriteStream): Display {
  return {
    intervalMs: 1000,
    show: (moment) => stream.write(`${line(moment)}\n`),
    end: () => undefined,
  }
}

/** For a terminal. */
export function picture(moment: Moment): string {
  const { planned, seconds } = moment
  const settled = settledOf(moment)
  const cells = cellsOf(moment)
  const table = new Table({
    head: cells.map(([name]) => styleText('dim', name)),
    colAligns: cells.map(() => 'right'),
    style: { head: [], border: [] },
  })
  table.push(cells.map(([, value]) => value))
  const head = `${bar(settled, planned, BAR_WIDTH)}  ${settled} of ${planned} settled, ${Math.round(seconds)} s`
  return `${head}\n${table.toString()}`
}

/** For a log. */
export function line(moment: Moment): string {
  const cells = cellsOf(moment).map(([name, value]) => `${name} ${value}`)
  return `${String(Math.round(moment.seconds)).padStart(3)} s  ${cells.join(', ')}`
}

function cellsOf({ sent, qps, figures }: Moment): [name: string, value: string][] {
  const { results, deadLetters, deferred, passed, risky, riskChecked, report } = figures
  return [
    ['sent', String(sent)],
    ['results', String(results)],
    ['dead letters', String(deadLetters)],
    ['deferrals', String(deferred)],
    ['pass rate', percent(passed, results)],
    ['risk rate', percent(risky, riskChecked)],
    ['calls/s', `${report.callsInTheLastSecond} of ${qps}`.padStart(8)],
  ]
}

function settledOf({ figures }: Moment): number {
  return figures.results + figures.deadLetters
}
