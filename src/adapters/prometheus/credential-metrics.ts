/** Metrics of the credentials that calls are signed with. */
import { CREDENTIAL_REFRESHES, type Metrics } from '../../ports.ts'
import type { Instruments } from './instruments.ts'

export function credentialMetrics(
  instruments: Instruments,
): Pick<Metrics, 'credentialRefresh' | 'credentialsExpire'> {
  let expiresMs: number | null = null
  const refreshes = instruments.counter(
    'credential_refreshes_total',
    'Number of renewals of the Alibaba Cloud credentials, including changed key files.',
    { outcome: CREDENTIAL_REFRESHES },
  )
  instruments.gauge(
    'credentials_expiry_timestamp_seconds',
    'Time when the current credentials expire, in seconds since the epoch; 0 if they do not expire or the time is unknown.',
    [],
    () => [[[], (expiresMs ?? 0) / 1000]],
  )
  return {
    credentialRefresh: (outcome) => refreshes([outcome]),
    credentialsExpire: (epochMs) => {
      expiresMs = epochMs
    },
  }
}
