/** The API, the quota that guards it, and the circuit breaker before it. */
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
        description: "Calls a second by the answer's code, or by why there was none.",
        unit: 'reqps',
        width: 12,
        queries: [{ expr: `${rate(metric('checkresult_requests_total'), 'code')} > 0`, legend: '{{code}}' }],
      },
      { stacked: true, min: 0 },
    ),
    chart(
      {
        title: 'Time of a call',
        description: 'Calls of all outcomes; those that get no answer within the deadline are among them.',
        unit: 's',
        width: 12,
        queries: [
          { expr: quantile(0.5, DURATION), legend: 'half within' },
          { expr: quantile(0.95, DURATION), legend: '95% within' },
          { expr: quantile(0.99, DURATION), legend: '99% within' },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Calls by what they led to',
        description:
          'Calls a second. Throttled and blocked ones go again and use up no attempt of their event.',
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
        title: 'Calls that fail',
        description:
          'Share of the calls that got no usable answer, and of those that were throttled. Alerts begin at 5%.',
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
        title: 'Quota used against the limit',
        description:
          'Permits granted a second by priority, and the limit of all replicas. The pace allowed now is below the limit after the API has throttled.',
        unit: 'reqps',
        width: 12,
        queries: [
          { expr: rate(metric('checkresult_quota_permits_total'), 'priority'), legend: '{{priority}}' },
          { expr: `max(${metric('checkresult_quota_limit_per_second')})`, legend: 'limit' },
          {
            // Each replica may use all of a quota that is counted in Redis.
            expr: `clamp_max(sum(${metric('checkresult_quota_rate_per_second')}), scalar(max(${metric('checkresult_quota_limit_per_second')})))`,
            legend: 'allowed now',
          },
        ],
      },
      { stacked: true, min: 0, overrides: { limit: DASHED, 'allowed now': DASHED } },
    ),
    chart(
      {
        title: 'Share of the quota by replica',
        description:
          'Calls a second allowed to each replica. One with 0 stands by. Counted in Redis, each may use all of the limit.',
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
        title: 'Wait for a permit',
        description: 'How long the calls of each priority waited: 95% no longer than this.',
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
        description: 'Calls that would be made if there were permits, by priority.',
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
        title: 'Permits without use',
        description:
          'Calls a second that were throttled or made again, and slots that were reserved and not used.',
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
  title: 'Gate and credentials',
  panels: [
    timeline(
      {
        title: 'Gate',
        description: 'Why no calls are made. Closed at one replica is shown as closed.',
        unit: 'none',
        width: 12,
        queries: [{ expr: `max by (reason) (${metric('checkresult_circuit_open')})`, legend: '{{reason}}' }],
      },
      { '0': { text: 'open', color: 'green' }, '1': { text: 'closed', color: 'red' } },
    ),
    chart({
      title: 'Credentials: time left',
      description:
        'Until the credentials of each replica expire. They are renewed a quarter of an hour ahead. No value: they do not expire.',
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
        description: 'Renewals a second, files read anew included.',
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
