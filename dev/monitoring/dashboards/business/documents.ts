/** Rows on document families and on cost. */
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
        title: 'Results by document family',
        description:
          'Results per second. NONE: no document was checked. OTHER: the type of document is unknown.',
        unit: 'cps',
        width: 12,
        queries: [{ expr: rate(metric(RESULTS), 'family'), legend: '{{family}}' }],
      },
      { stacked: true, min: 0 },
    ),
    chart(
      {
        title: 'Pass rate by document family',
        description:
          'PASSED as a share of PASSED and FAILED. The rate of a family with few decisions varies a lot.',
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
        description: 'Results in the selected time range, by verdict and sub-code of the vendor.',
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
          'Per second: results that contradict their event or have a verdict that does not fit their sub-code, results with an unreadable document, and members of documents that were dropped. All should be rare.',
        unit: 'cps',
        width: 12,
        queries: [
          { expr: rate(metric('checkresult_verdict_disagreements_total')), legend: 'contradictions' },
          { expr: rate(metric('checkresult_unreadable_documents_total')), legend: 'unreadable documents' },
          { expr: rate(metric('checkresult_dropped_members_total')), legend: 'dropped members' },
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
        title: 'Results by billing',
        description: 'Results per second that the vendor bills or does not bill.',
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
        title: 'Calls per result',
        description:
          'Calls divided by published results. Values above 1 come from customers who were not done yet, retries and dead letters.',
        unit: 'none',
        width: 8,
        queries: [{ expr: recorded('calls_per_result:ratio_rate5m'), legend: '{{job}}' }],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Saved and wasted calls',
        description:
          'Per second: duplicate events that needed no call, and calls that were throttled or had to be repeated.',
        unit: 'cps',
        width: 8,
        queries: [
          { expr: rate(metric('checkresult_duplicates_total')), legend: 'saved: duplicate event' },
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
