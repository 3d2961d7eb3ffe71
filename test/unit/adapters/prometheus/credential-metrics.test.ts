import { expect, test } from 'vitest'
import { createMetrics } from '../../../../src/adapters/prometheus/metrics.ts'

const EXPIRY = 'checkresult_credentials_expiry_timestamp_seconds'

function setUp() {
  const { metrics, exposition } = createMetrics({
    version: '1.2.3',
    revision: 'abc1234',
    topics: [],
    delivery: 'exactly-once',
  })
  const lines = async (name: string): Promise<string[]> =>
    (await exposition()).body.split('\n').filter((line) => line.startsWith(name))
  return { metrics, lines }
}

test('credential renewals are counted by outcome, starting at 0', async () => {
  const { metrics, lines } = setUp()
  metrics.credentialRefresh('ok')
  metrics.credentialRefresh('ok')
  expect(await lines('checkresult_credential_refreshes_total')).toEqual([
    'checkresult_credential_refreshes_total{outcome="ok"} 2',
    'checkresult_credential_refreshes_total{outcome="failed"} 0',
  ])
})

test('the credential expiry is shown in epoch seconds, and is 0 without one', async () => {
  const { metrics, lines } = setUp()
  expect(await lines(EXPIRY)).toEqual([`${EXPIRY} 0`])
  metrics.credentialsExpire(1_800_000_000_500)
  expect(await lines(EXPIRY)).toEqual([`${EXPIRY} 1800000000.5`])
  metrics.credentialsExpire(null)
  expect(await lines(EXPIRY)).toEqual([`${EXPIRY} 0`])
})

test('the number of records waiting for the registry is the last reported one', async () => {
  const { metrics, lines } = setUp()
  metrics.registryWaiting(3)
  expect(await lines('checkresult_schema_registry_waiting')).toEqual([
    'checkresult_schema_registry_waiting_records 3',
  ])
})
