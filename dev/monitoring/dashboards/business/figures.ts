/** The most important numbers of the verifications. */
import { BILLED_SUB_CODES, FRESH, FRESH_SECONDS } from '../../promql.ts'
import type { Row } from '../dashboard.ts'
import { stat, type Colors } from '../panels.ts'
import { metric, recorded, total } from '../queries.ts'

const RESULTS = 'checkresult_results_total'
const BILLED = `sub_code=~"${BILLED_SUB_CODES}"`
const PLAIN: Colors = [[null, 'blue']]

export const figures: Row = {
  title: 'Overview',
  panels: [
    stat(
      {
        title: 'Pass rate',
        description: 'PASSED as a share of PASSED and FAILED, over the last 5 minutes.',
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
          'Results with forgery or an attack, as a share of the results that were checked for it, over the last 5 minutes.',
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
        description: 'Results published in the selected time range.',
        unit: 'short',
        width: 4,
        queries: [{ expr: total(metric(RESULTS)), legend: 'results' }],
      },
      { total: true, decimals: 0, colors: PLAIN },
    ),
    stat(
      {
        title: 'Billed calls',
        description: `Results that the vendor bills, in the selected time range: those with sub-code ${BILLED_SUB_CODES.replace('|', ' or ')}. Recognized duplicates cause no call and are not billed.`,
        unit: 'short',
        width: 4,
        queries: [{ expr: total(metric(RESULTS, BILLED)), legend: 'billed' }],
      },
      { total: true, decimals: 0, colors: PLAIN },
    ),
    stat(
      {
        title: 'On time',
        description: `Share of results published within ${FRESH_SECONDS} seconds after their event, in the selected time range. The objective is 99%.`,
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
          'Events in the selected time range that became dead letters. They get no result unless they are put back.',
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
