/** Whether events get through: from the input topic, through Kafka and the registry. */
import { FRESH_SECONDS, NOT_RETRY, SERVICE, promql } from '../promql.ts'
import type { Alert, Group } from '../rule.ts'

/** Nothing is called while the circuit breaker is open, and its own alert says so. */
const CIRCUIT_CLOSED = `unless on (${SERVICE}) max by (${SERVICE}) (checkresult_circuit_open) == 1`
const LAG = 'checkresult:consumer_lag_records:sum'
const AGE = 'checkresult:oldest_unsettled_age_seconds:max'
const OLDEST = `checkresult_oldest_unsettled_timestamp_seconds{${NOT_RETRY}}`
const LOST = 'checkresult_offsets_lost_total'
const SILENT = 'checkresult_partition_leader_silent_seconds'
const SATURATED = 'checkresult:quota_used_per_limit:ratio_rate5m > 0.9'

const sum = (series: string, range: string): string => `sum by (${SERVICE}) (increase(${series}[${range}]))`

/** A share of failures that is no accident: 5 % of at least three. */
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
      summary: 'Events wait and none is settled.',
      description:
        'Events of {{ $labels.job }} wait, or a partition leader does not answer, and no event has come out for 10 minutes although calls are not paused.',
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
      summary: 'A partition does not move.',
      description:
        'The oldest event of partition {{ $labels.partition }} of {{ $labels.topic }} has been the same at {{ $labels.job }} for 15 minutes and is {{ $value | humanizeDuration }} old.',
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
        'Partition {{ $labels.partition }} of {{ $labels.topic }} has been blocked at {{ $labels.job }} for 5 minutes at offset {{ $value }}: the brokers answer {{ $labels.code }}.',
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
        'The leader of partition {{ $labels.partition }} of {{ $labels.topic }} has not answered {{ $labels.job }} for {{ $value | humanizeDuration }}: its events wait.',
      dashboard: 'service',
      panel: 'Standing partitions',
    },
    {
      alert: 'CheckResultOpenTransaction',
      severity: 'warning',
      expr: promql`
        max by (${SERVICE}, topic, partition) (checkresult_open_transaction_seconds) > 120
      `,
      for: '1m',
      summary: 'An open transaction of a producer holds up a partition.',
      description:
        'Records of partition {{ $labels.partition }} of {{ $labels.topic }} have waited for {{ $value | humanizeDuration }} behind a transaction that a producer has left open: {{ $labels.job }} cannot read them.',
      dashboard: 'service',
      panel: 'Standing partitions',
    },
    {
      alert: 'CheckResultOffsetsLost',
      severity: 'critical',
      // A replica usually finds out when it starts: before the first scrape of a series that is new.
      expr: promql`
        sum by (${SERVICE}, topic) (
          (increase(${LOST}[15m]) and ${LOST} offset 15m)
          or (${LOST} unless ${LOST} offset 15m)
        ) > 0
      `,
      for: '1m',
      summary: 'Events were deleted before they were processed.',
      description:
        '{{ $value | humanize }} offsets of {{ $labels.topic }} were deleted before {{ $labels.job }} had processed them.',
      dashboard: 'service',
      panel: 'Offsets lost',
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
      summary: 'More events come than go, though the quota is not used up.',
      description:
        'The backlog of {{ $labels.job }} grows by {{ $value | humanize }} events a minute, and its oldest event is late.',
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
      summary: 'Kafka does not take the outputs.',
      description:
        '{{ $value | humanizePercentage }} of the writes of {{ $labels.job }} failed in the last 10 minutes; they are made again.',
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
        '{{ $value | humanizePercentage }} of the offset commits of {{ $labels.job }} failed in the last 10 minutes: after a restart their events come out again.',
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
        '{{ $value | humanize }} events of {{ $labels.job }} wait for the registry to tell their schema, with all that is behind them on their partitions.',
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
        '{{ $value | humanize }} requests of {{ $labels.job }} to the registry failed in 10 minutes.',
      dashboard: 'service',
      panel: 'Schema registry',
    },
  ],
}
