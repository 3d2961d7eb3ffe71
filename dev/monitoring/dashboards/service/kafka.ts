/** Rows on partitions, the consumer group, transactions and the registry. */
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
        description: 'Events on the input topic without a committed output, by partition.',
        unit: 'short',
        width: 8,
        queries: [
          {
            expr: `max by (topic, partition) (${metric(LAG, NOT_RETRY)})`,
            legend: '{{topic}}-{{partition}}',
          },
        ],
      },
      { stacked: true, min: 0 },
    ),
    chart(
      {
        title: 'Age of the oldest event by partition',
        description:
          'Age of the oldest buffered event of each partition. Gaps mean that no event is buffered.',
        unit: 's',
        width: 8,
        queries: [
          {
            expr: `time() - min by (topic, partition) (${metric(OLDEST, NOT_RETRY)})`,
            legend: '{{topic}}-{{partition}}',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Blocked partitions',
        description:
          'Offset at which each blocked partition waits, by cause. Empty if no partition is blocked.',
        unit: 'short',
        width: 8,
        queries: [
          {
            expr: `max by (topic, partition, code) (${metric('checkresult_partition_blocked_offset')})`,
            legend: '{{topic}}-{{partition}}: {{code}}',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Partitions that cannot be read',
        description:
          'How long the leader of a partition has not answered, and how long records have waited behind an open transaction of a producer. Empty if all partitions can be read.',
        unit: 's',
        width: 12,
        queries: [
          {
            expr: `max by (topic, partition) (${metric('checkresult_partition_leader_silent_seconds')})`,
            legend: '{{topic}}-{{partition}}: leader does not answer',
          },
          {
            expr: `max by (topic, partition) (${metric('checkresult_open_transaction_seconds')})`,
            legend: '{{topic}}-{{partition}}: open transaction',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Lost offsets',
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
        title: 'Time to drain the backlog',
        description:
          'How long each replica needs for its backlog at its current share of the quota. Includes deferred events that are not due yet.',
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
        title: 'Events on retry topics',
        description: 'Deferred events that are not due or not settled yet, by retry topic.',
        unit: 'short',
        width: 8,
        queries: [{ expr: `sum by (topic) (${metric(LAG, RETRY)})`, legend: '{{topic}}' }],
      },
      { stacked: true, min: 0 },
    ),
    chart(
      {
        title: 'Heartbeat age',
        description: 'Time since the group coordinator accepted the last heartbeat of each replica.',
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
        description: 'Rebalances per second and replica. No call starts during a rebalance.',
        unit: 'cps',
        width: 8,
        queries: [{ expr: rate(metric('checkresult_rebalances_total'), 'instance'), legend: '{{instance}}' }],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Transactions',
        description:
          'Kafka transactions per second, by outcome. A few fenced ones are normal at a rebalance.',
        unit: 'cps',
        width: 8,
        queries: [{ expr: rate(metric('checkresult_transactions_total'), 'outcome'), legend: '{{outcome}}' }],
      },
      { stacked: true, min: 0 },
    ),
    chart(
      {
        title: 'Publish duration',
        description:
          'Time to write outputs and learn the outcome: with transactions, or without them (KAFKA_DELIVERY=at-least-once).',
        unit: 's',
        width: 8,
        queries: [
          {
            expr: quantile(0.95, metric('checkresult_transaction_duration_seconds_bucket')),
            legend: 'transactions: p95',
          },
          {
            expr: quantile(0.95, metric('checkresult_publish_duration_seconds_bucket')),
            legend: 'without transactions: p95',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Publishes and offset commits',
        description:
          'Publishes and offset commits per second, by outcome. Only with KAFKA_DELIVERY=at-least-once; otherwise 0.',
        unit: 'cps',
        width: 8,
        queries: [
          { expr: rate(metric('checkresult_publishes_total'), 'outcome'), legend: 'publishes: {{outcome}}' },
          {
            expr: rate(metric('checkresult_offset_commits_total'), 'outcome'),
            legend: 'offset commits: {{outcome}}',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Schema registry',
        description: 'Requests per second by outcome, and records that wait for their schema.',
        unit: 'short',
        width: 24,
        queries: [
          {
            expr: rate(metric('checkresult_schema_registry_requests_total'), 'operation, outcome'),
            legend: '{{operation}}: {{outcome}}',
          },
          {
            expr: `sum(${metric('checkresult_schema_registry_waiting_records')})`,
            legend: 'waiting records',
          },
        ],
      },
      { min: 0 },
    ),
  ],
}
