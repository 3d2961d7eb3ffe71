/** Partitions, the group, transactions, the registry. */
import { NOT_RETRY } from '../../promql.ts'
import type { Row } from '../dashboard.ts'
import { chart } from '../panels.ts'
import { metric, quantile, rate } from '../queries.ts'

const LAG = 'checkresult_consumer_lag_records'
const OLDEST = 'checkresult_oldest_unsettled_timestamp_seconds'
const RETRY = NOT_RETRY.replace('!~', '=~')

export const kafka: Row = {
  title: 'Kafka and the registry',
  panels: [
    chart(
      {
        title: 'Lag by partition',
        description: 'Events of the input topic without a committed output, by partition.',
        unit: 'short',
        width: 8,
        queries: [
          {
            expr: `max by (topic, partition) (${metric(LAG, NOT_RETRY)})`,
            legend: '{{topic}} {{partition}}',
          },
        ],
      },
      { stacked: true, min: 0 },
    ),
    chart(
      {
        title: 'Age of the oldest event by partition',
        description: 'Of the events in hand, the oldest of each partition. Gaps: nothing in hand.',
        unit: 's',
        width: 8,
        queries: [
          {
            expr: `time() - min by (topic, partition) (${metric(OLDEST, NOT_RETRY)})`,
            legend: '{{topic}} {{partition}}',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Blocked partitions',
        description:
          'The offset of the record each blocked partition waits for, by the cause. Empty while all partitions move.',
        unit: 'short',
        width: 8,
        queries: [
          {
            expr: `max by (topic, partition, code) (${metric('checkresult_partition_blocked_offset')})`,
            legend: '{{topic}} {{partition}}: {{code}}',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Standing partitions',
        description:
          'How long a leader has not answered, and how long an open transaction of a producer has held up records. Empty while neither happens.',
        unit: 's',
        width: 12,
        queries: [
          {
            expr: `max by (topic, partition) (${metric('checkresult_partition_leader_silent_seconds')})`,
            legend: '{{topic}} {{partition}}: leader silent',
          },
          {
            expr: `max by (topic, partition) (${metric('checkresult_open_transaction_seconds')})`,
            legend: '{{topic}} {{partition}}: open transaction',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Offsets lost',
        description: 'Offsets that were deleted from a topic before the service had processed them.',
        unit: 'short',
        width: 12,
        queries: [
          {
            expr: `sum by (topic) (increase(${metric('checkresult_offsets_lost_total')}[$__rate_interval]))`,
            legend: '{{topic}}',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Time to work off the lag',
        description:
          'How long the backlog of each replica takes at the pace the quota allows it now; what is not due yet is counted too.',
        unit: 's',
        width: 8,
        queries: [
          { expr: `max by (instance) (${metric('checkresult_lag_drain_seconds')})`, legend: '{{instance}}' },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Waiting on retry topics',
        description: 'Events that are not due yet, or not settled yet, by retry topic.',
        unit: 'short',
        width: 8,
        queries: [{ expr: `sum by (topic) (${metric(LAG, RETRY)})`, legend: '{{topic}}' }],
      },
      { stacked: true, min: 0 },
    ),
    chart(
      {
        title: 'Heartbeat age',
        description: 'Since the group coordinator accepted the last heartbeat of each replica.',
        unit: 's',
        width: 8,
        queries: [
          {
            expr: `time() - max by (instance) (${metric('checkresult_last_heartbeat_timestamp_seconds')} > 0)`,
            legend: '{{instance}}',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Rebalances',
        description:
          'Times a second each replica joined its group anew. No call starts while a group decides.',
        unit: 'cps',
        width: 8,
        queries: [{ expr: rate(metric('checkresult_rebalances_total'), 'instance'), legend: '{{instance}}' }],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Transactions',
        description: 'Kafka transactions a second. A few fenced ones come with each rebalance.',
        unit: 'cps',
        width: 8,
        queries: [{ expr: rate(metric('checkresult_transactions_total'), 'outcome'), legend: '{{outcome}}' }],
      },
      { stacked: true, min: 0 },
    ),
    chart(
      {
        title: 'Time to publish',
        description:
          'From the first write of outputs to their outcome: of transactions, or of writes without one.',
        unit: 's',
        width: 8,
        queries: [
          {
            expr: quantile(0.95, metric('checkresult_transaction_duration_seconds_bucket')),
            legend: 'transaction, 95% within',
          },
          {
            expr: quantile(0.95, metric('checkresult_publish_duration_seconds_bucket')),
            legend: 'without, 95% within',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Publishes and offset commits',
        description: 'A second, with KAFKA_DELIVERY=at-least-once; otherwise all 0.',
        unit: 'cps',
        width: 8,
        queries: [
          { expr: rate(metric('checkresult_publishes_total'), 'outcome'), legend: 'publish {{outcome}}' },
          {
            expr: rate(metric('checkresult_offset_commits_total'), 'outcome'),
            legend: 'offsets {{outcome}}',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Schema registry',
        description: 'Requests a second by outcome, and records that wait for an answer.',
        unit: 'short',
        width: 24,
        queries: [
          {
            expr: rate(metric('checkresult_schema_registry_requests_total'), 'operation, outcome'),
            legend: '{{operation}} {{outcome}}',
          },
          {
            expr: `sum(${metric('checkresult_schema_registry_waiting_records')})`,
            legend: 'records waiting',
          },
        ],
      },
      { min: 0 },
    ),
  ],
}
