/** Events from the input topic to their end. */
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
          'Records taken on a second, retry copies included, and what became of them. In the long run both sides are equal.',
        unit: 'cps',
        width: 12,
        queries: [
          { expr: rate(metric('checkresult_events_consumed_total')), legend: 'taken on' },
          { expr: rate(metric('checkresult_risk_checks_total')), legend: 'results' },
          { expr: rate(metric('checkresult_deferred_total')), legend: 'deferred' },
          { expr: rate(metric('checkresult_dead_letters_total')), legend: 'dead letters' },
          { expr: rate(metric('checkresult_duplicates_total')), legend: 'came twice' },
          { expr: rate(metric('checkresult_foreign_records_total')), legend: 'not events' },
          { expr: rate(metric('checkresult_redelivered_total')), legend: 'delivered again' },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'From event to result',
        description:
          "From the record's timestamp to the commit of its result; for a deferred event, from its latest retry copy.",
        unit: 's',
        width: 12,
        queries: [
          { expr: quantile(0.5, END_TO_END), legend: 'half within' },
          { expr: quantile(0.95, END_TO_END), legend: '95% within' },
          { expr: quantile(0.99, END_TO_END), legend: '99% within' },
        ],
      },
      { min: 0 },
    ),
    heatmap({
      title: 'From event to result, all of them',
      description: 'Results by how long they took, over time.',
      unit: 's',
      width: 12,
      queries: [{ expr: rate(END_TO_END, 'le'), legend: '{{le}}' }],
    }),
    chart(
      {
        title: 'Records in hand',
        description: 'Records read and not yet committed, and calls under way.',
        unit: 'short',
        width: 12,
        queries: [
          { expr: `sum(${metric('checkresult_lane_backlog')})`, legend: 'in hand' },
          { expr: `sum(${metric('checkresult_requests_in_flight')})`, legend: 'calls under way' },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Deferred by reason',
        description:
          'Events put on a retry topic, a second. Not completed and pending wait for the customer or the vendor, unavailable for the API.',
        unit: 'cps',
        width: 12,
        queries: [{ expr: rate(metric('checkresult_deferred_total'), 'reason'), legend: '{{reason}}' }],
      },
      { stacked: true, min: 0 },
    ),
    chart(
      {
        title: 'Dead letters by reason',
        description: 'Events put on the dead-letter topic, a second. `dlq stats` tells what waits there.',
        unit: 'cps',
        width: 12,
        queries: [{ expr: rate(metric('checkresult_dead_letters_total'), 'reason'), legend: '{{reason}}' }],
      },
      { stacked: true, min: 0 },
    ),
  ],
}
