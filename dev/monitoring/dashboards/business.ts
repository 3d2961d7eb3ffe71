/** What the verifications came to: for those who care about customers, forgery and the bill. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { BILLED_SUB_CODES, FRESH_SECONDS } from '../promql.ts'
import { dashboard, type Row } from './dashboard.ts'
import { BAND_EDGE, DASHED, bandDownTo, chart, stat, table, type Colours } from './panels.ts'
import { metric, rate, recorded, total } from './queries.ts'

const RESULTS = 'checkresult_results_total'
const DECIDED = 'verdict=~"PASSED|FAILED"'
const BILLED = `sub_code=~"${BILLED_SUB_CODES}"`
const PLAIN: Colours = [[null, 'blue']]

const now: Row = {
  title: 'In the time shown',
  panels: [
    stat(
      {
        title: 'Pass rate',
        description: 'Passed among passed and failed, over the last 5 minutes.',
        unit: 'percentunit',
        width: 4,
        queries: [{ expr: recorded('pass_per_settled:ratio_rate5m'), legend: '{{job}}' }],
      },
      { decimals: 1 },
    ),
    stat(
      {
        title: 'Risk rate',
        description:
          'Results that show forgery or attack among those that say whether they do, over the last 5 minutes.',
        unit: 'percentunit',
        width: 4,
        queries: [{ expr: recorded('risk_per_checked:ratio_rate5m'), legend: '{{job}}' }],
      },
      {
        decimals: 2,
        colours: [
          [null, 'green'],
          [0.1, 'orange'],
          [0.3, 'red'],
        ],
      },
    ),
    stat(
      {
        title: 'Results',
        description: 'Results published in the time shown.',
        unit: 'short',
        width: 4,
        queries: [{ expr: total(metric(RESULTS)), legend: 'results' }],
      },
      { total: true, decimals: 0, colours: PLAIN },
    ),
    stat(
      {
        title: 'Billed calls',
        description: `Results the vendor bills in the time shown: those with sub-code ${BILLED_SUB_CODES.replace('|', ' or ')}. Events that came twice and were recognised are not among them.`,
        unit: 'short',
        width: 4,
        queries: [{ expr: total(metric(RESULTS, BILLED)), legend: 'billed' }],
      },
      { total: true, decimals: 0, colours: PLAIN },
    ),
    stat(
      {
        title: 'On time',
        description: `Results published within ${FRESH_SECONDS} seconds of their event, in the time shown. The objective is 99%.`,
        unit: 'percentunit',
        width: 4,
        queries: [
          {
            expr: `${total(metric('checkresult_end_to_end_seconds_bucket', `le="${FRESH_SECONDS}"`))} / (${total(metric('checkresult_end_to_end_seconds_count'))} > 0)`,
            legend: 'on time',
          },
        ],
      },
      {
        total: true,
        decimals: 2,
        colours: [
          [null, 'red'],
          [0.98, 'orange'],
          [0.99, 'green'],
        ],
      },
    ),
    stat(
      {
        title: 'Dead letters',
        description:
          'Events in the time shown that have no result and will have none unless somebody puts them back.',
        unit: 'short',
        width: 4,
        queries: [{ expr: total(metric('checkresult_dead_letters_total')), legend: 'dead letters' }],
      },
      {
        total: true,
        decimals: 0,
        colours: [
          [null, 'green'],
          [1, 'orange'],
        ],
      },
    ),
  ],
}

interface Banded {
  readonly title: string
  readonly description: string
  readonly name: string
  readonly what: string
}

/** The rate of the last half hour, what the hours before make of it, and from where on an alert says so. */
function banded({ title, description, name, what }: Banded): ReturnType<typeof chart> {
  const usual = recorded(`${name}_before:ratio_rate6h`)
  const band = recorded(`${name}:band30m`)
  return chart(
    {
      title,
      description,
      unit: 'percentunit',
      width: 12,
      queries: [
        { expr: recorded(`${name}:ratio_rate30m`), legend: what },
        { expr: usual, legend: 'usual' },
        { expr: `clamp_max(${usual} + ${band}, 1)`, legend: 'highest usual' },
        { expr: `clamp_min(${usual} - ${band}, 0)`, legend: 'lowest usual' },
      ],
    },
    {
      share: name === 'pass_per_settled',
      min: 0,
      overrides: { usual: DASHED, 'highest usual': bandDownTo('lowest usual'), 'lowest usual': BAND_EDGE },
    },
  )
}

const decisions: Row = {
  title: 'Decisions',
  panels: [
    banded({
      title: 'Pass rate and what is usual',
      description:
        'The last 30 minutes against the six hours before the last one. Outside the band it is no chance: CheckResultPassRateLow and CheckResultPassRateHigh fire. With few decisions the band is wide.',
      name: 'pass_per_settled',
      what: 'passed',
    }),
    banded({
      title: 'Risk rate and what is usual',
      description:
        'The last 30 minutes against the six hours before the last one. Above the band CheckResultRiskRateHigh fires.',
      name: 'risk_per_checked',
      what: 'risky',
    }),
    chart(
      {
        title: 'Results by verdict',
        description:
          'Results published a second. UNKNOWN is an answer without a verdict; it counts in neither rate.',
        unit: 'cps',
        width: 12,
        queries: [{ expr: rate(metric(RESULTS), 'verdict'), legend: '{{verdict}}' }],
      },
      { stacked: true, min: 0 },
    ),
    chart({
      title: 'How unusual the rates are',
      description:
        'Standard errors between the last 30 minutes and what is usual. Between -4 and 4 it may well be chance.',
      unit: 'none',
      width: 12,
      queries: [
        { expr: recorded('pass_per_settled:score30m'), legend: 'pass rate' },
        { expr: recorded('risk_per_checked:score30m'), legend: 'risk rate' },
      ],
    }),
  ],
}

const SPOOFS = metric('checkresult_spoof_signals_total')
const CHECKS = metric('checkresult_risk_checks_total')

const risk: Row = {
  title: 'Risk',
  panels: [
    chart(
      {
        title: 'Risk rate by kind of forgery',
        description:
          'Share of the checked results that name this kind. A document may show several, so they do not add up to the risk rate.',
        unit: 'percentunit',
        width: 12,
        queries: [
          {
            expr: `${rate(SPOOFS, 'type')} / on () group_left () (${rate(metric('checkresult_risk_checks_total', 'result=~"risky|clean"'))} > 0)`,
            legend: '{{type}}',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'What was said about risk',
        description:
          'Results a second: risky, clean, or nothing said. Much of the last means that the product does not check.',
        unit: 'cps',
        width: 12,
        queries: [{ expr: rate(CHECKS, 'result'), legend: '{{result}}' }],
      },
      { stacked: true, min: 0 },
    ),
  ],
}

const documents: Row = {
  title: 'Documents',
  panels: [
    chart(
      {
        title: 'Results by family of documents',
        description:
          'Results a second. NONE: no document was checked. OTHER: it could not be told which it was.',
        unit: 'cps',
        width: 12,
        queries: [{ expr: rate(metric(RESULTS), 'family'), legend: '{{family}}' }],
      },
      { stacked: true, min: 0 },
    ),
    chart(
      {
        title: 'Pass rate by family of documents',
        description: 'Passed among passed and failed. A family with few decisions swings widely.',
        unit: 'percentunit',
        width: 12,
        queries: [
          {
            expr: `${rate(metric(RESULTS, 'verdict="PASSED"'), 'family')} / (${rate(metric(RESULTS, DECIDED), 'family')} > 0)`,
            legend: '{{family}}',
          },
        ],
      },
      { share: true },
    ),
    table(
      {
        title: 'Results by sub-code',
        description: 'Results in the time shown, by verdict and the sub-code of the vendor.',
        unit: 'short',
        width: 12,
        queries: [{ expr: `${total(metric(RESULTS), 'verdict, sub_code')} > 0`, legend: '' }],
      },
      { columns: { verdict: 'Verdict', sub_code: 'Sub-code' }, value: 'Results' },
    ),
    chart(
      {
        title: 'Contradictions and unreadable documents',
        description:
          'Results a second that contradict their event or themselves, and those whose document could not be read. Both should be rare.',
        unit: 'cps',
        width: 12,
        queries: [
          { expr: rate(metric('checkresult_verdict_disagreements_total')), legend: 'contradictions' },
          { expr: rate(metric('checkresult_unreadable_documents_total')), legend: 'unreadable documents' },
        ],
      },
      { min: 0 },
    ),
  ],
}

const cost: Row = {
  title: 'Cost',
  panels: [
    chart(
      {
        title: 'Billed and other results',
        description: 'Results a second, by whether the vendor bills them.',
        unit: 'cps',
        width: 8,
        queries: [
          { expr: rate(metric(RESULTS, BILLED)), legend: 'billed' },
          { expr: rate(metric(RESULTS, `sub_code!~"${BILLED_SUB_CODES}"`)), legend: 'not billed' },
        ],
      },
      { stacked: true, min: 0 },
    ),
    chart(
      {
        title: 'Calls for each result',
        description:
          'Calls made for each result published. Above 1: customers who were not done yet, retries, dead letters.',
        unit: 'none',
        width: 8,
        queries: [{ expr: recorded('calls_per_result:ratio_rate5m'), legend: '{{job}}' }],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Calls spared and wasted',
        description:
          'A second: events that came twice and cost no call; calls that were throttled or had to be made again.',
        unit: 'cps',
        width: 8,
        queries: [
          { expr: rate(metric('checkresult_duplicates_total')), legend: 'spared: event came twice' },
          {
            expr: rate(metric('checkresult_quota_wasted_calls_total'), 'reason'),
            legend: 'wasted: {{reason}}',
          },
        ],
      },
      { min: 0 },
    ),
  ],
}

export function businessDashboard(): Dashboard {
  return dashboard({
    uid: 'checkresult-business',
    title: 'checkresult-stream: verifications',
    description: 'Pass rate, risk rate, documents and billed calls of the verifications asked for.',
    rows: [now, decisions, risk, documents, cost],
  })
}
