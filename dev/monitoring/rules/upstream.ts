/** Alerts on the CheckResult API, the account, the credentials and the quota. */
import type { CircuitReason } from '../../../src/core/calls/circuit-breaker.ts'
import { FRESH_SECONDS, SERVICE, promql } from '../promql.ts'
import type { Alert, Group } from '../rule.ts'

const LAG = 'checkresult:consumer_lag_records:sum'

interface CircuitAlert {
  readonly alert: string
  /** Default: critical. */
  readonly severity?: 'warning'
  readonly for: string
  readonly keepFiringFor?: string
  readonly summary: string
  readonly why: string
  /** When calls resume. Default: on their own once the cause is fixed. */
  readonly resume?: string
}

/** One alert per reason, because each needs a different action. */
export const CIRCUIT_ALERTS: Readonly<Record<CircuitReason, CircuitAlert>> = {
  credentials: {
    alert: 'CheckResultCredentialsRefused',
    for: '2m',
    summary: 'Calls are paused: the API rejects the credentials.',
    why: 'the API rejects the credentials, or none can be obtained',
  },
  account: {
    alert: 'CheckResultAccountRefused',
    for: '2m',
    summary: 'Calls are paused: the API rejects the account.',
    why: 'the API rejects the account (overdue payment, product not activated, or wrong endpoint)',
  },
  refused: {
    alert: 'CheckResultUnknownRefusal',
    for: '5m',
    summary: 'Calls are paused: the API rejects them with an unknown code.',
    why: 'the API rejects calls with a code that this version does not know',
  },
  clock: {
    alert: 'CheckResultClockWrong',
    for: '2m',
    summary: 'Calls are paused: the clock of a replica is wrong.',
    why: 'the clock of its node is wrong, so the API rejects its calls or the brokers reject its records',
  },
  throttled: {
    alert: 'CheckResultPausedByThrottling',
    severity: 'warning',
    for: '5m',
    summary: 'Calls are paused: the API throttles the account.',
    why: 'the API throttles the account and asks to wait before the next call',
  },
  'upstream-down': {
    alert: 'CheckResultUpstreamDown',
    for: '5m',
    summary: 'Calls are paused: the API is down.',
    why: 'the API does not answer',
  },
  'quota-unavailable': {
    alert: 'CheckResultQuotaUnavailable',
    for: '2m',
    summary: 'Calls are paused: the quota is unavailable.',
    why: 'the quota cannot be checked (the log names the cause)',
  },
  'dead-letter-limit': {
    alert: 'CheckResultDeadLetterLimit',
    for: '1m',
    // The circuit breaker closes for a moment after each cooldown, although nothing is better yet.
    keepFiringFor: '10m',
    summary: 'Calls are paused: too many events would become dead letters.',
    why: 'the share of dead letters exceeds DEAD_LETTER_LIMIT',
    resume:
      'After each DEAD_LETTER_LIMIT_COOLDOWN calls resume for up to 50 records, and pause again if those are no better.',
  },
}

function circuitAlert([reason, circuit]: [string, CircuitAlert]): Alert {
  const { alert, severity = 'critical', for: duration, keepFiringFor, summary, why } = circuit
  const { resume = 'Calls resume on their own once the cause is fixed.' } = circuit
  return {
    alert,
    severity,
    expr: `max by (${SERVICE}, reason) (checkresult_circuit_open{reason="${reason}"}) == 1`,
    for: duration,
    ...(keepFiringFor !== undefined && { keepFiringFor }),
    summary,
    description: `A replica of {{ $labels.job }} has paused its calls, because ${why}. Events wait and none is lost. ${resume}`,
    dashboard: 'service',
    panel: 'Circuit breaker',
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
        '{{ $value | humanizePercentage }} of the calls of {{ $labels.job }} in the last 5 minutes got no usable answer. The service retries them, so these results are late.',
      dashboard: 'service',
      panel: 'Failed and throttled calls',
    },
    {
      alert: 'CheckResultThrottled',
      severity: 'warning',
      expr: promql`
        checkresult:throttled_per_call:ratio_rate5m > 0.05
        and ${calls('10m', '{outcome="throttled"}')} >= 10
      `,
      for: '10m',
      summary: 'The API throttles calls.',
      description:
        '{{ $value | humanizePercentage }} of the calls of {{ $labels.job }} in the last 5 minutes were throttled and retried. Another program uses the account, or its limit is lower than CHECKRESULT_QPS.',
      dashboard: 'service',
      panel: 'Failed and throttled calls',
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
      summary: 'The quota is too small for the load.',
      description:
        'The quota of {{ $labels.job }} is used up and the backlog grows, so results are late. One call in twenty waits {{ $value | humanizeDuration }} or longer for its permit.',
      dashboard: 'service',
      panel: 'Quota use and limit',
    },
    {
      // The service renews credentials 15 minutes before they expire.
      alert: 'CheckResultCredentialsExpiring',
      severity: 'warning',
      expr: promql`
        min by (${SERVICE}) (checkresult_credentials_expiry_timestamp_seconds > 0) - time() < 600
      `,
      for: '1m',
      summary: 'The credentials expire soon and have not been renewed.',
      description:
        'The credentials of a replica of {{ $labels.job }} expire in {{ $value | humanizeDuration }}. The replica keeps trying to renew them, and pauses its calls if they expire.',
      dashboard: 'service',
      panel: 'Credentials: time to expiry',
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
        '{{ $value | humanize }} renewals of the credentials of {{ $labels.job }} failed in 30 minutes and none succeeded. The current credentials are used until they expire.',
      dashboard: 'service',
      panel: 'Credentials: renewals',
    },
  ],
}
