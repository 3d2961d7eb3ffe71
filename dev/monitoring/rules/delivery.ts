/** Whether events get through: from the input topic, through Kafka and the registry. */
import { FRESH_SECONDS, NOT_RETRY, SERVICE, promql } from '../promql.ts'
import type { Alert, Group } from '../rule.ts'

/** Nothing is called while the gate is closed, and its own alert says so. */
const GATE_OPEN = `unless on (${SERVICE}) max by (${SERVICE}) (checkresult_gate_closed) == 1`
const LAG = 'checkresult:consumer_lag_records:sum'
const AGE = 'checkresult:oldest_unsettled_age_seconds:max'
const OLDEST = `checkresult_oldest_unsettled_timestamp_seconds{${NOT_RETRY}}`
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
        ${LAG} > 0
        and (
          ${sum('checkresult_risk_checks_total', '10m')}
          + ${sum('checkresult_deferred_total', '10m')}
          + ${sum('checkresult_dead_letters_total', '10m')}
          + ${sum('checkresult_duplicates_total', '10m')}
          + ${sum('checkresult_foreign_records_total', '10m')}
        ) == 0
        ${GATE_OPEN}
      `,
      for: '5m',
      summary: 'Events wait and none is settled.',
      description:
        '{{ $value | humanize }} events wait at {{ $labels.job }}, and for 10 minutes none has come out, though the gate is open.',
      dashboard: 'service',
      panel: 'Events in and out',
    },
    {
      alert: 'CheckResultPartitionStuck',
      severity: 'warning',
      expr: promql`
        max by (${SERVICE}, topic, partition) (time() - ${OLDEST}) > 900
        and max by (${SERVICE}, topic, partition) (changes(${OLDEST}[15m])) == 0
        ${GATE_OPEN}
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
      alert: 'CheckResultLagGrowing',
      severity: 'warning',
      expr: promql`
        60 * deriv(${LAG}[15m]) > 0
        and ${AGE} > ${FRESH_SECONDS}
        unless ${SATURATED}
        ${GATE_OPEN}
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
