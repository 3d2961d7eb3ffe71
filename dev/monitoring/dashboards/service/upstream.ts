/** Rows on the CheckResult API, the quota, the circuit breaker and the credentials. */
import type { Row } from '../dashboard.ts'
import { DASHED, chart, timeline } from '../panels.ts'
import { metric, quantile, rate, recorded } from '../queries.ts'

const DURATION = metric('checkresult_request_duration_seconds_bucket')

export const upstream: Row = {
  title: 'CheckResult API',
  panels: [
    chart(
      {
        title: 'Calls by code',
        description: 'Calls per second by the code of the answer, or by the type of failure.',
        unit: 'reqps',
        width: 12,
        queries: [{ expr: `${rate(metric('checkresult_requests_total'), 'code')} > 0`, legend: '{{code}}' }],
      },
      { stacked: true, min: 0 },
    ),
    chart(
      {
        title: 'Call duration',
        description: 'Duration of all calls, including those that time out.',
        unit: 's',
        width: 12,
        queries: [
          { expr: quantile(0.5, DURATION), legend: 'median' },
          { expr: quantile(0.95, DURATION), legend: 'p95' },
          { expr: quantile(0.99, DURATION), legend: 'p99' },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Calls by outcome',
        description:
          'Calls per second by outcome. Throttled and blocked calls are retried and do not count as an attempt of their event.',
        unit: 'reqps',
        width: 12,
        queries: [
          {
            expr: rate(metric('checkresult_request_duration_seconds_count'), 'outcome'),
            legend: '{{outcome}}',
          },
        ],
      },
      { stacked: true, min: 0 },
    ),
    chart(
      {
        title: 'Failed and throttled calls',
        description:
          'Share of calls without a usable answer, and share of throttled calls. Alerts fire above 5%.',
        unit: 'percentunit',
        width: 12,
        queries: [
          { expr: recorded('unavailable_per_call:ratio_rate5m'), legend: 'unavailable' },
          { expr: recorded('throttled_per_call:ratio_rate5m'), legend: 'throttled' },
        ],
      },
      { min: 0 },
    ),
  ],
}

export const quota: Row = {
  title: 'Quota',
  panels: [
    chart(
      {
        title: 'Quota use and limit',
        description:
          'Granted permits per second by priority, and the limit of all replicas. The current rate is below the limit after the API has throttled calls.',
        unit: 'reqps',
        width: 12,
        queries: [
          { expr: rate(metric('checkresult_quota_permits_total'), 'priority'), legend: '{{priority}}' },
          { expr: `max(${metric('checkresult_quota_limit_per_second')})`, legend: 'limit' },
          {
            // With a quota in Redis, each replica may use all of it.
            expr: `clamp_max(sum(${metric('checkresult_quota_rate_per_second')}), scalar(max(${metric('checkresult_quota_limit_per_second')})))`,
            legend: 'current rate',
          },
        ],
      },
      { stacked: true, min: 0, overrides: { limit: DASHED, 'current rate': DASHED } },
    ),
    chart(
      {
        title: 'Quota share by replica',
        description:
          'Calls per second that each replica may make. A replica with 0 is a hot standby. With a quota in Redis, each may use the whole limit.',
        unit: 'reqps',
        width: 12,
        queries: [
          {
            expr: `max by (instance) (${metric('checkresult_quota_share_per_second')})`,
            legend: '{{instance}}',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Permit wait time',
        description: 'Time that calls waited for a permit (p95), by priority.',
        unit: 's',
        width: 8,
        queries: [
          {
            expr: quantile(0.95, metric('checkresult_quota_wait_seconds_bucket'), 'priority'),
            legend: '{{priority}}',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Calls waiting for a permit',
        description: 'Calls that wait for a permit now, by priority.',
        unit: 'short',
        width: 8,
        queries: [
          { expr: `sum by (priority) (${metric('checkresult_quota_waiting')})`, legend: '{{priority}}' },
        ],
      },
      { stacked: true, min: 0 },
    ),
    chart(
      {
        title: 'Wasted permits',
        description:
          'Per second: calls that were throttled or repeated, and reserved slots that were not used.',
        unit: 'cps',
        width: 8,
        queries: [
          { expr: rate(metric('checkresult_quota_wasted_calls_total'), 'reason'), legend: '{{reason}}' },
          { expr: rate(metric('checkresult_quota_wasted_slots_total')), legend: 'unused slots' },
        ],
      },
      { min: 0 },
    ),
  ],
}

export const circuit: Row = {
  title: 'Circuit breaker and credentials',
  panels: [
    timeline(
      {
        title: 'Circuit breaker',
        description:
          'State of the circuit breaker by reason. closed: calls flow. open: at least one replica has paused its calls for this reason.',
        unit: 'none',
        width: 12,
        queries: [{ expr: `max by (reason) (${metric('checkresult_circuit_open')})`, legend: '{{reason}}' }],
      },
      { '0': { text: 'closed', color: 'green' }, '1': { text: 'open', color: 'red' } },
    ),
    chart({
      title: 'Credentials: time to expiry',
      description:
        'Time until the credentials of each replica expire. They are renewed 15 minutes before. No value means that they do not expire.',
      unit: 's',
      width: 6,
      queries: [
        {
          expr: `max by (instance) (${metric('checkresult_credentials_expiry_timestamp_seconds')} > 0) - time()`,
          legend: '{{instance}}',
        },
      ],
    }),
    chart(
      {
        title: 'Credentials: renewals',
        description: 'Renewals per second by outcome, including files that were read again.',
        unit: 'cps',
        width: 6,
        queries: [
          { expr: rate(metric('checkresult_credential_refreshes_total'), 'outcome'), legend: '{{outcome}}' },
        ],
      },
      { min: 0 },
    ),
  ],
}
