/** The keys calls are signed with. */
import { CREDENTIAL_REFRESHES, type Metrics } from '../../ports.ts'
import type { Instruments } from './instruments.ts'

export function credentialMetrics(
  instruments: Instruments,
): Pick<Metrics, 'credentialRefresh' | 'credentialsExpire'> {
  let expiresMs: number | null = null
  const refreshes = instruments.counter(
    'credential_refreshes_total',
    'Renewals of the Alibaba Cloud credentials, files read anew included.',
    { outcome: CREDENTIAL_REFRESHES },
  )
  instruments.gauge(
    'credentials_expiry_timestamp_seconds',
    'When the credentials at hand expire; 0 where they do not, or nothing says when.',
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
