/** The figures to look at first. */
import { BILLED_SUB_CODES, FRESH, FRESH_SECONDS } from '../../promql.ts'
import type { Row } from '../dashboard.ts'
import { stat, type Colors } from '../panels.ts'
import { metric, recorded, total } from '../queries.ts'

const RESULTS = 'checkresult_results_total'
const BILLED = `sub_code=~"${BILLED_SUB_CODES}"`
const PLAIN: Colors = [[null, 'blue']]

export const figures: Row = {
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
        colors: [
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
      { total: true, decimals: 0, colors: PLAIN },
    ),
    stat(
      {
        title: 'Billed calls',
        description: `Results the vendor bills in the time shown: those with sub-code ${BILLED_SUB_CODES.replace('|', ' or ')}. Events that came twice and were recognized are not among them.`,
        unit: 'short',
        width: 4,
        queries: [{ expr: total(metric(RESULTS, BILLED)), legend: 'billed' }],
      },
      { total: true, decimals: 0, colors: PLAIN },
    ),
    stat(
      {
        title: 'On time',
        description: `Results published within ${FRESH_SECONDS} seconds of their event, in the time shown. The objective is 99%.`,
        unit: 'percentunit',
        width: 4,
        queries: [
          {
            expr: `${total(metric('checkresult_end_to_end_seconds_bucket', FRESH))} / (${total(metric('checkresult_end_to_end_seconds_count'))} > 0)`,
            legend: 'on time',
          },
        ],
      },
      {
        total: true,
        decimals: 2,
        colors: [
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
        colors: [
          [null, 'green'],
          [1, 'orange'],
        ],
      },
    ),
  ],
}
