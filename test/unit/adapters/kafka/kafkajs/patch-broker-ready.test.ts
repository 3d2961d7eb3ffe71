import { expect, test } from 'vitest'
import { BrokerClass } from '../../../../../src/adapters/kafka/kafkajs/internals.ts'
import { applyPatches } from '../../../../../src/adapters/kafka/kafkajs/patches.ts'

/** Its TCP connection is open, and it can send as soon as `connect` has looked up the versions of requests. */
function openBroker() {
  const connection = { getSupportAuthenticationProtocol: () => true, authenticate: () => Promise.resolve() }
  return new BrokerClass({
    logger: { namespace: () => ({ debug: () => undefined }) },
    versions: {},
    connectionPool: {
      connectionTimeout: 1_000,
      isConnected: () => true,
      getConnection: () => Promise.resolve(connection),
      setVersions: () => undefined,
    },
  })
}

test('a broker with an open connection counts as connected only once its versions are known', async () => {
  applyPatches()
  const broker = openBroker()
  expect(broker.isConnected()).toBe(false)
  await Promise.all([broker.connect(), broker.connect()])
  expect(broker.isConnected()).toBe(true)
})
