/** The pipeline row: events from the input topic to their output. */
import type { Row } from '../dashboard.ts'
import { chart, heatmap } from '../panels.ts'
import { metric, quantile, rate } from '../queries.ts'

const END_TO_END = metric('checkresult_end_to_end_seconds_bucket')

export const pipeline: Row = {
  title: 'Pipeline',
  panels: [
    chart(
      {
        title: 'Events in and out',
        description:
          'Consumed records per second, including retry copies, and their outcomes. Over time, the outcomes add up to the consumed records.',
        unit: 'cps',
        width: 12,
        queries: [
          { expr: rate(metric('checkresult_events_consumed_total')), legend: 'consumed' },
          { expr: rate(metric('checkresult_risk_checks_total')), legend: 'results' },
          { expr: rate(metric('checkresult_deferred_total')), legend: 'deferred' },
          { expr: rate(metric('checkresult_dead_letters_total')), legend: 'dead letters' },
          { expr: rate(metric('checkresult_duplicates_total')), legend: 'duplicates' },
          { expr: rate(metric('checkresult_foreign_records_total')), legend: 'foreign records' },
          { expr: rate(metric('checkresult_redelivered_total')), legend: 'redelivered' },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Time from event to result',
        description:
          "Time from the record's timestamp to the commit of its result. For a deferred event the time starts at its latest retry copy.",
        unit: 's',
        width: 12,
        queries: [
          { expr: quantile(0.5, END_TO_END), legend: 'median' },
          { expr: quantile(0.95, END_TO_END), legend: 'p95' },
          { expr: quantile(0.99, END_TO_END), legend: 'p99' },
        ],
      },
      { min: 0 },
    ),
    heatmap({
      title: 'Time from event to result: distribution',
      description: 'Number of results by the time they took.',
      unit: 's',
      width: 12,
      queries: [{ expr: rate(END_TO_END, 'le'), legend: '{{le}}' }],
    }),
    chart(
      {
        title: 'Buffered records and calls',
        description: 'Records that were read and are not committed yet, and calls in flight.',
        unit: 'short',
        width: 12,
        queries: [
          { expr: `sum(${metric('checkresult_lane_backlog')})`, legend: 'buffered records' },
          { expr: `sum(${metric('checkresult_requests_in_flight')})`, legend: 'calls in flight' },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Deferred by reason',
        description:
          'Events written to a retry topic per second. not-completed: waits for the customer. pending: waits for the vendor. unavailable: the API did not answer.',
        unit: 'cps',
        width: 12,
        queries: [{ expr: rate(metric('checkresult_deferred_total'), 'reason'), legend: '{{reason}}' }],
      },
      { stacked: true, min: 0 },
    ),
    chart(
      {
        title: 'Dead letters by reason',
        description:
          'Events written to the dead-letter topic per second. `dlq stats` lists the dead letters there.',
        unit: 'cps',
        width: 12,
        queries: [{ expr: rate(metric('checkresult_dead_letters_total'), 'reason'), legend: '{{reason}}' }],
      },
      { stacked: true, min: 0 },
    ),
  ],
}
