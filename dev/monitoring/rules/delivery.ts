/** Alerts on delivery: from the input topic through Kafka and the registry to the outputs. */
import { FRESH_SECONDS, NOT_RETRY, SERVICE, promql } from '../promql.ts'
import type { Alert, Group } from '../rule.ts'

/** No calls are made while the circuit breaker is open, which has its own alerts. */
const CIRCUIT_CLOSED = `unless on (${SERVICE}) max by (${SERVICE}) (checkresult_circuit_open) == 1`
const LAG = 'checkresult:consumer_lag_records:sum'
const AGE = 'checkresult:oldest_unsettled_age_seconds:max'
const OLDEST = `checkresult_oldest_unsettled_timestamp_seconds{${NOT_RETRY}}`
const LOST = 'checkresult_offsets_lost_total'
const SILENT = 'checkresult_partition_leader_silent_seconds'
const SATURATED = 'checkresult:quota_used_per_limit:ratio_rate5m > 0.9'

const sum = (series: string, range: string): string => `sum by (${SERVICE}) (increase(${series}[${range}]))`

/** More than 5 % failures, and at least three, so that a single failure does not alert. */
function failing(failed: string, all: string): string {
  return promql`
    ${sum(failed, '10m')} / (${sum(all, '10m')} > 0) > 0.05
    and ${sum(failed, '10m')} >= 3
  `
}

export const deliveryAlerts: Group<Alert> = {
  name: 'checkresult-delivery',
  rules: [
    {
      alert: 'CheckResultStalled',
      severity: 'critical',
      expr: promql`
        (${LAG} > 0 or max by (${SERVICE}) (${SILENT}) > 0)
        and (
          ${sum('checkresult_risk_checks_total', '10m')}
          + ${sum('checkresult_deferred_total', '10m')}
          + ${sum('checkresult_dead_letters_total', '10m')}
          + ${sum('checkresult_duplicates_total', '10m')}
          + ${sum('checkresult_foreign_records_total', '10m')}
        ) == 0
        ${CIRCUIT_CLOSED}
      `,
      for: '5m',
      summary: 'Events are waiting and nothing comes out.',
      description:
        'Events of {{ $labels.job }} are waiting, or a partition leader does not answer. For 10 minutes there has been no result, retry copy or dead letter, although calls are not paused.',
      dashboard: 'service',
      panel: 'Events in and out',
    },
    {
      alert: 'CheckResultPartitionStuck',
      severity: 'warning',
      expr: promql`
        max by (${SERVICE}, topic, partition) (time() - ${OLDEST}) > 900
        and max by (${SERVICE}, topic, partition) (changes(${OLDEST}[15m])) == 0
        ${CIRCUIT_CLOSED}
      `,
      for: '5m',
      summary: 'A partition makes no progress.',
      description:
        'The oldest event of partition {{ $labels.partition }} of {{ $labels.topic }} at {{ $labels.job }} has not changed for 15 minutes and is {{ $value | humanizeDuration }} old. The events behind it wait; other partitions go on.',
      dashboard: 'service',
      panel: 'Age of the oldest event by partition',
    },
    {
      alert: 'CheckResultPartitionBlocked',
      severity: 'critical',
      expr: promql`
        max by (${SERVICE}, topic, partition, code) (checkresult_partition_blocked_offset) >= 0
      `,
      for: '5m',
      summary: 'A partition is blocked.',
      description:
        'Partition {{ $labels.partition }} of {{ $labels.topic }} has been blocked for 5 minutes at offset {{ $value }} ({{ $labels.code }}): {{ $labels.job }} cannot claim it or write its outputs. Its events wait; the service retries at least every 30 seconds.',
      dashboard: 'service',
      panel: 'Blocked partitions',
    },
    {
      alert: 'CheckResultLeaderSilent',
      severity: 'critical',
      expr: promql`
        max by (${SERVICE}, topic, partition) (${SILENT}) > 30
      `,
      for: '1m',
      summary: 'The leader of a partition does not answer.',
      description:
        'The leader of partition {{ $labels.partition }} of {{ $labels.topic }} has not answered {{ $labels.job }} for {{ $value | humanizeDuration }}. The events of this partition wait; other partitions go on.',
      dashboard: 'service',
      panel: 'Partitions that cannot be read',
    },
    {
      alert: 'CheckResultOpenTransaction',
      severity: 'warning',
      expr: promql`
        max by (${SERVICE}, topic, partition) (checkresult_open_transaction_seconds) > 120
      `,
      for: '1m',
      summary: 'An open transaction blocks a partition.',
      description:
        'A producer has left a transaction open on partition {{ $labels.partition }} of {{ $labels.topic }}. The records behind it have waited for {{ $value | humanizeDuration }}, because {{ $labels.job }} cannot read them.',
      dashboard: 'service',
      panel: 'Partitions that cannot be read',
    },
    {
      alert: 'CheckResultOffsetsLost',
      severity: 'critical',
      // Offsets are usually found lost at startup, so the series is new and `increase` alone would miss its first value.
      expr: promql`
        sum by (${SERVICE}, topic) (
          (increase(${LOST}[15m]) and ${LOST} offset 15m)
          or (${LOST} unless ${LOST} offset 15m)
        ) > 0
      `,
      for: '1m',
      summary: 'Events were deleted before they were processed.',
      description:
        '{{ $value | humanize }} offsets of {{ $labels.topic }} were deleted before {{ $labels.job }} had processed them. Their events get neither a result nor a dead letter. The service continued with the oldest record.',
      dashboard: 'service',
      panel: 'Lost offsets',
    },
    {
      alert: 'CheckResultLagGrowing',
      severity: 'warning',
      expr: promql`
        60 * deriv(${LAG}[15m]) > 0
        and ${AGE} > ${FRESH_SECONDS}
        unless ${SATURATED}
        ${CIRCUIT_CLOSED}
      `,
      for: '15m',
      summary: 'The backlog grows although the quota is not used up.',
      description:
        'The backlog of {{ $labels.job }} grows by {{ $value | humanize }} events per minute, and its oldest event is late. The quota is not the limit.',
      dashboard: 'service',
      panel: 'Lag by partition',
    },
    {
      alert: 'CheckResultPublishFailures',
      severity: 'warning',
      expr: promql`
        (
          ${failing('checkresult_transactions_total{outcome="failed"}', 'checkresult_transactions_total')}
        )
        or
        (
          ${failing('checkresult_publishes_total{outcome="failed"}', 'checkresult_publishes_total')}
        )
      `,
      for: '5m',
      summary: 'Writes to Kafka fail.',
      description:
        '{{ $value | humanizePercentage }} of the writes of {{ $labels.job }} failed in the last 10 minutes. The service retries them, so outputs are late but not lost.',
      dashboard: 'service',
      panel: 'Transactions',
    },
    {
      alert: 'CheckResultOffsetCommitFailures',
      severity: 'warning',
      expr: failing('checkresult_offset_commits_total{outcome="failed"}', 'checkresult_offset_commits_total'),
      for: '5m',
      summary: 'Offsets cannot be committed.',
      description:
        '{{ $value | humanizePercentage }} of the offset commits of {{ $labels.job }} failed in the last 10 minutes. After a restart, the service calls the API for these events again and publishes their results twice.',
      dashboard: 'service',
      panel: 'Publishes and offset commits',
    },
    {
      alert: 'CheckResultRegistryWaiting',
      severity: 'warning',
      expr: `sum by (${SERVICE}) (checkresult_schema_registry_waiting_records) > 0`,
      for: '5m',
      summary: 'Events wait for the schema registry.',
      description:
        '{{ $value | humanize }} events of {{ $labels.job }} wait for their schema, because the registry does not answer. The events behind them on their partitions wait too.',
      dashboard: 'service',
      panel: 'Schema registry',
    },
    {
      alert: 'CheckResultRegistryErrors',
      severity: 'warning',
      expr: `${sum('checkresult_schema_registry_requests_total{outcome="failed"}', '10m')} > 3`,
      for: '5m',
      summary: 'The schema registry does not answer.',
      description:
        '{{ $value | humanize }} requests of {{ $labels.job }} to the registry failed in 10 minutes. Running replicas continue with the schemas they know. A new replica cannot become ready.',
      dashboard: 'service',
      panel: 'Schema registry',
    },
  ],
}
