/** The demo's summary as text. Pure. */
import { styleText } from 'node:util'
import Table from 'cli-table3'
import type { Check, Matched, Pair } from './check.ts'
import type { Figures } from './figures.ts'
import { milliseconds, percent, quantile } from './format.ts'
import { FAMILY_NAMES, rowOf } from './outcome.ts'
import { samplesOf } from './samples.ts'

export interface Findings {
  readonly matched: Matched
  readonly figures: Figures
  readonly qps: number
  readonly checks: readonly Check[]
}

const MAX_SHOWN_ERRORS = 10

export function summaryOf(findings: Findings): string {
  return [
    section('Outcomes', outcomeTable(findings)),
    section('Documents', familyTable(findings)),
    section('Some of the results, decoded', sampleText(findings)),
    section('Figures', figureTable(findings)),
    section('Checked', [...findings.checks.map(checkText), verdictOf(findings)].join('\n')),
  ].join('\n')
}

function section(title: string, body: string): string {
  return `\n${styleText('bold', title)}\n${body}`
}

function outcomeTable({ matched }: Findings): string {
  const expected = matched.pairs.map(({ event }) => rowOf(event.expected))
  const seen = outputsOf(matched).map(({ outcome }) => rowOf(outcome))
  const rows = [...new Set([...expected, ...seen])].sort(resultsFirst)
  return table(
    ['', 'expected', 'seen'],
    [
      ...rows.map((row) => [row, times(expected, row), times(seen, row)]),
      ['All', expected.length, seen.length],
    ],
  )
}

/** Passed first, dead letters last. */
function resultsFirst(left: string, right: string): number {
  return rankOf(left) - rankOf(right) || left.localeCompare(right)
}

function rankOf(row: string): number {
  return ['Passed', 'Failed', 'Unknown', 'Dead letter'].findIndex((start) => row.startsWith(start))
}

function familyTable({ matched }: Findings): string {
  const outcomes = outputsOf(matched).map(({ outcome }) => outcome)
  const results = outcomes.filter((outcome) => outcome.kind === 'result')
  const byFamily = Map.groupBy(results, ({ family }) =>
    family === null ? 'No document' : FAMILY_NAMES[family],
  )
  const rows = [...byFamily].sort(([, left], [, right]) => right.length - left.length)
  return table(
    ['', 'results', 'passed', 'risky'],
    rows.map(([family, of]) => [
      family,
      of.length,
      of.filter(({ verdict }) => verdict === 'PASSED').length,
      of.filter(({ risky }) => risky === true).length,
    ]),
  )
}

function sampleText({ matched }: Findings): string {
  return samplesOf(outputsOf(matched))
    .map(({ title, lines }) => [title, ...lines.map((line) => `    ${line}`)].join('\n'))
    .join('\n')
}

function figureTable({ matched, figures, qps }: Findings): string {
  const { results, passed, risky, riskChecked, deferred, report } = figures
  const undeferred = matched.pairs.filter(({ event }) => !event.defers)
  const throttled = Object.entries(report.callsByCode).filter(([code]) => code.startsWith('Throttling'))
  return table(
    [],
    [
      ['Pass rate', percent(passed, results)],
      ['Risk rate, of results with a risk check', percent(risky, riskChecked)],
      [
        'Event to result, p50 / p99, at a steady pace',
        latency(undeferred.filter(({ event }) => !event.inRush)),
      ],
      [
        'Event to result, p50 / p99, in the burst at the end, limited by the quota',
        latency(undeferred.filter(({ event }) => event.inRush)),
      ],
      ['Waits in a retry topic', deferred],
      ['Calls', report.calls],
      ['Maximum calls in any second, and the quota', `${report.maxCallsInASecond} of ${qps}`],
      [
        'Throttled calls (the simulator sends one Throttling.User)',
        throttled.map(([code, calls]) => `${calls} ${code}`).join(', ') || 'none',
      ],
    ],
  )
}

function latency(pairs: readonly Pair[]): string {
  const values = pairs.flatMap(({ event, outputs }) =>
    outputs.map((output) => output.timestampMs - event.sentAtMs),
  )
  return `${milliseconds(quantile(values, 0.5))} / ${milliseconds(quantile(values, 0.99))}`
}

function verdictOf({ checks }: Findings): string {
  return checks.every(({ errors }) => errors.length === 0) ? 'All checks passed.' : 'Some checks failed.'
}

function checkText({ promise, errors }: Check): string {
  if (errors.length === 0) return `${styleText('green', '✔')} ${promise}`
  const more = errors.length - MAX_SHOWN_ERRORS
  return [
    `${styleText('red', '✘')} ${promise}`,
    ...errors.slice(0, MAX_SHOWN_ERRORS).map((error) => `    ${error}`),
    ...(more > 0 ? [`    … and ${more} more`] : []),
  ].join('\n')
}

function outputsOf({ pairs, strays }: Matched) {
  return [...pairs.flatMap(({ outputs }) => outputs), ...strays]
}

function times(rows: readonly string[], row: string): number {
  return rows.filter((other) => other === row).length
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const drawn = new Table({
    head: head.map((name) => styleText('dim', name)),
    colAligns: ['left', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  })
  drawn.push(...rows.map((row) => [...row]))
  return drawn.toString()
}
