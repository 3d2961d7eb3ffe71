import { CIRCUIT_ALERTS } from '../../../dev/monitoring/rules/upstream.ts'
import type { Case } from './case.ts'
import { grows, level } from './series.ts'

const EXPIRY = 'checkresult_credentials_expiry_timestamp_seconds'

const { 'dead-letter-limit': deadLetterLimit, ...OTHERS } = CIRCUIT_ALERTS

/** At one replica only, because each replica has its own circuit breaker. */
const circuitCases: readonly Case[] = Object.entries(OTHERS).map(([reason, { alert, why, for: held }]) => ({
  alert,
  faults: {
    [`checkresult_circuit_open{reason="${reason}",instance="b"}`]: level([0, 10], [1, 30], [0, 80]),
  },
  silentAt: 10 + Number.parseInt(held, 10) - 1,
  fires: 16,
  clears: 41,
  labels: { reason },
  description: `A replica of checkresult-stream has paused its calls, because ${why}. Events wait and none is lost. Calls resume on their own once the cause is fixed.`,
}))

export const upstreamCases: readonly Case[] = [
  ...circuitCases,
  {
    alert: deadLetterLimit.alert,
    // Closed at minutes 15 and 21, after a cooldown of five minutes, and for good at minute 27.
    faults: {
      'checkresult_circuit_open{reason="dead-letter-limit",instance="b"}': level(
        [0, 10],
        [1, 5],
        [0, 1],
        [1, 5],
        [0, 1],
        [1, 5],
        [0, 80],
      ),
    },
    silentAt: 10,
    fires: 12,
    keepsFiring: [15, 16, 21, 22, 30, 36],
    clears: 38,
    labels: { reason: 'dead-letter-limit' },
    description:
      'A replica of checkresult-stream has paused its calls, because the share of dead letters exceeds DEAD_LETTER_LIMIT. Events wait and none is lost. After each DEAD_LETTER_LIMIT_COOLDOWN calls resume for up to 50 records, and pause again if those are no better.',
  },
  {
    alert: 'CheckResultUpstreamErrors',
    faults: {
      'checkresult_request_duration_seconds_count{outcome="unavailable"}': grows([0, 10], [2, 30], [0, 80]),
    },
    silentAt: 19,
    fires: 30,
    clears: 50,
    description:
      '15.38% of the calls of checkresult-stream in the last 5 minutes got no usable answer. The service retries them, so these results are late.',
    silent: {
      'there are few calls': {
        perMinute: 0.2,
        faults: { 'checkresult_request_duration_seconds_count{outcome="unavailable"}': grows([0.2, 120]) },
        at: 60,
      },
    },
  },
  {
    alert: 'CheckResultThrottled',
    faults: {
      'checkresult_requests_total{code="Throttling.Api"}': grows([0, 10], [2, 30], [0, 80]),
      'checkresult_request_duration_seconds_count{outcome="throttled"}': grows([0, 10], [2, 30], [0, 80]),
    },
    silentAt: 19,
    fires: 30,
    clears: 50,
    description:
      '15.38% of the calls of checkresult-stream in the last 5 minutes were throttled and retried. Another program uses the account, or its limit is lower than CHECKRESULT_QPS.',
    silent: {
      'there are few calls': {
        perMinute: 0.2,
        faults: {
          'checkresult_requests_total{code="Throttling.Api"}': grows([0.2, 120]),
          'checkresult_request_duration_seconds_count{outcome="throttled"}': grows([0.2, 120]),
        },
        at: 60,
      },
    },
  },
  {
    alert: 'CheckResultCredentialsExpiring',
    faults: { [`${EXPIRY}{instance="a"}`]: level([3_000, 45], [6_300, 75]) },
    silentAt: 41,
    fires: 43,
    clears: 46,
    description:
      'The credentials of a replica of checkresult-stream expire in 7m 0s. The replica keeps trying to renew them, and pauses its calls if they expire.',
    silent: { 'they never expire': { faults: { [EXPIRY]: level([0, 120]) }, at: 60 } },
  },
  {
    alert: 'CheckResultCredentialRenewalFails',
    faults: {
      'checkresult_credential_refreshes_total{outcome="failed"}': grows([0, 10], [0.5, 30], [0, 80]),
      'checkresult_credential_refreshes_total{outcome="ok"}': grows([0, 45], [1, 2], [0, 73]),
    },
    silentAt: 18,
    fires: 25,
    clears: 47,
    description:
      '15 renewals of the credentials of checkresult-stream failed in 30 minutes and none succeeded. The current credentials are used until they expire.',
    silent: {
      'others succeed': {
        faults: { 'checkresult_credential_refreshes_total{outcome="failed"}': grows([0.1, 120]) },
        at: 60,
      },
    },
  },
]
