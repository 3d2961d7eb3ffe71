/** The CheckResult API, the account and the quota. */
import type { CircuitReason } from '../../../src/core/circuit-breaker.ts'
import { FRESH_SECONDS, SERVICE, promql } from '../promql.ts'
import type { Alert, Group } from '../rule.ts'

const LAG = 'checkresult:consumer_lag_records:sum'

interface CircuitAlert {
  readonly alert: string
  /** Critical unless it says otherwise. */
  readonly severity?: 'warning'
  readonly for: string
  readonly summary: string
  readonly why: string
}

/** One for each reason, for each wants something else done. */
export const CIRCUIT_ALERTS: Readonly<Record<CircuitReason, CircuitAlert>> = {
  credentials: {
    alert: 'CheckResultCredentialsRefused',
    for: '2m',
    summary: 'The API refuses the credentials.',
    why: 'the API refuses its credentials',
  },
  account: {
    alert: 'CheckResultAccountRefused',
    for: '2m',
    summary: 'The API refuses the account.',
    why: 'the API refuses the account (overdue payment, or the wrong endpoint)',
  },
  refused: {
    alert: 'CheckResultUnknownRefusal',
    for: '5m',
    summary: 'The API refuses calls with an unknown code.',
    why: 'the API refuses every call with a code that this version does not know',
  },
  clock: {
    alert: 'CheckResultClockWrong',
    for: '2m',
    summary: 'The clock of a replica is wrong.',
    why: 'the clock of a replica is wrong, so the API refuses its calls or the brokers its records',
  },
  throttled: {
    alert: 'CheckResultPausedByThrottling',
    severity: 'warning',
    for: '5m',
    summary: 'The API asks to wait, again and again.',
    why: 'the API throttles the account and asks to wait before the next call',
  },
  'upstream-down': {
    alert: 'CheckResultUpstreamDown',
    for: '5m',
    summary: 'The API is down.',
    why: 'the API does not answer',
  },
  'quota-unavailable': {
    alert: 'CheckResultQuotaUnavailable',
    for: '2m',
    summary: 'No permits can be had.',
    why: 'the quota cannot be asked',
  },
  'dead-letter-limit': {
    alert: 'CheckResultDeadLetterLimit',
    for: '1m',
    summary: 'The dead-letter brake holds.',
    why: 'too many events would become dead letters',
  },
}

function circuitAlert([reason, circuit]: [string, CircuitAlert]): Alert {
  const { alert, severity = 'critical', for: duration, summary, why } = circuit
  return {
    alert,
    severity,
    expr: `max by (${SERVICE}, reason) (checkresult_circuit_open{reason="${reason}"}) == 1`,
    for: duration,
    summary,
    description: `{{ $labels.job }} makes no calls: ${why}. Events wait, nothing is lost.`,
    dashboard: 'service',
    panel: 'Gate',
  }
}

const calls = (range: string, matcher = ''): string =>
  `sum by (${SERVICE}) (increase(checkresult_request_duration_seconds_count${matcher}[${range}]))`

export const upstreamAlerts: Group<Alert> = {
  name: 'checkresult-upstream',
  rules: [
    ...Object.entries(CIRCUIT_ALERTS).map(circuitAlert),
    {
      alert: 'CheckResultUpstreamErrors',
      severity: 'warning',
      expr: promql`
        checkresult:unavailable_per_call:ratio_rate5m > 0.05
        and ${calls('10m', '{outcome="unavailable"}')} >= 10
      `,
      for: '10m',
      summary: 'Many calls to the API fail.',
      description:
        '{{ $value | humanizePercentage }} of the calls of {{ $labels.job }} got no usable answer.',
      dashboard: 'service',
      panel: 'Calls that fail',
    },
    {
      alert: 'CheckResultThrottled',
      severity: 'warning',
      expr: promql`
        checkresult:throttled_per_call:ratio_rate5m > 0.05
        and ${calls('10m', '{outcome="throttled"}')} >= 10
      `,
      for: '10m',
      summary: 'The API refuses calls because there are too many.',
      description:
        '{{ $value | humanizePercentage }} of the calls of {{ $labels.job }} are throttled: others use the account, or its limit is lower than CHECKRESULT_QPS.',
      dashboard: 'service',
      panel: 'Calls that fail',
    },
    {
      alert: 'CheckResultQuotaSaturated',
      severity: 'warning',
      expr: promql`
        checkresult:quota_wait_seconds:p95_rate5m
        and checkresult:quota_used_per_limit:ratio_rate5m > 0.9
        and deriv(${LAG}[15m]) > 0
        and checkresult:oldest_unsettled_age_seconds:max > ${FRESH_SECONDS}
      `,
      for: '15m',
      summary: 'More events come than the quota lets through.',
      description:
        'The quota of {{ $labels.job }} is used up and the backlog grows; one call in twenty waits {{ $value | humanizeDuration }} or more for its permit.',
      dashboard: 'service',
      panel: 'Quota used against the limit',
    },
    {
      // They are renewed a quarter of an hour ahead.
      alert: 'CheckResultCredentialsExpiring',
      severity: 'warning',
      expr: promql`
        min by (${SERVICE}) (checkresult_credentials_expiry_timestamp_seconds > 0) - time() < 600
      `,
      for: '1m',
      summary: 'The credentials are about to expire and have not been renewed.',
      description:
        'A replica of {{ $labels.job }} has credentials that expire in {{ $value | humanizeDuration }}; then the gate closes.',
      dashboard: 'service',
      panel: 'Credentials: time left',
    },
    {
      alert: 'CheckResultCredentialRenewalFails',
      severity: 'warning',
      expr: promql`
        sum by (${SERVICE}) (increase(checkresult_credential_refreshes_total{outcome="failed"}[30m])) > 0
        unless sum by (${SERVICE}) (increase(checkresult_credential_refreshes_total{outcome="ok"}[30m])) > 0
      `,
      for: '10m',
      summary: 'Credentials cannot be renewed.',
      description:
        '{{ $value | humanize }} renewals of the credentials of {{ $labels.job }} failed in 30 minutes and none succeeded; those at hand serve until they expire.',
      dashboard: 'service',
      panel: 'Credentials: renewals',
    },
  ],
}
