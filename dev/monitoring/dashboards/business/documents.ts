/** Documents by family, and what the answers cost. */
import { BILLED_SUB_CODES } from '../../promql.ts'
import type { Row } from '../dashboard.ts'
import { chart, table } from '../panels.ts'
import { metric, rate, recorded, total } from '../queries.ts'

const RESULTS = 'checkresult_results_total'
const DECIDED = 'verdict=~"PASSED|FAILED"'
const BILLED = `sub_code=~"${BILLED_SUB_CODES}"`

export const documents: Row = {
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
          'Results a second that contradict their event or themselves, those whose document could not be read, and members of documents that could not be kept. All should be rare.',
        unit: 'cps',
        width: 12,
        queries: [
          { expr: rate(metric('checkresult_verdict_disagreements_total')), legend: 'contradictions' },
          { expr: rate(metric('checkresult_unreadable_documents_total')), legend: 'unreadable documents' },
          { expr: rate(metric('checkresult_dropped_members_total')), legend: 'members not kept' },
        ],
      },
      { min: 0 },
    ),
  ],
}

export const cost: Row = {
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
