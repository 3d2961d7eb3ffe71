import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import kafkajs from 'kafkajs'
import { expect, onTestFinished, test } from 'vitest'
import { createCluster } from '../../../../src/adapters/kafka/internals.ts'
import { patchConnection } from '../../../../src/adapters/kafka/patch-connection.ts'
import { patchRequestQueue } from '../../../../src/adapters/kafka/patch-request-queue.ts'
import { openSocket } from '../../../../src/adapters/kafka/sockets.ts'

test('a broker that takes the connection and says nothing is given up with the first request', async () => {
  const connections: number[] = []
  const silent = createServer((socket) => {
    connections.push(performance.now())
    onTestFinished(() => void socket.destroy())
  })
  silent.listen(0, '127.0.0.1')
  onTestFinished(() => void silent.close())
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  patchRequestQueue()
  patchConnection()
  const cluster = createCluster({
    brokers: [`127.0.0.1:${port}`],
    clientId: 'test',
    ssl: false,
    sasl: null,
    logger: new kafkajs.Kafka({ brokers: ['unused:1'], logLevel: kafkajs.logLevel.NOTHING }).logger(),
    connectionTimeout: 100,
    requestTimeout: 100,
    socketFactory: openSocket,
    retry: { retries: 0 },
  })
  await expect(cluster.connect()).rejects.toMatchObject({
    cause: { name: 'KafkaJSConnectionError', code: 'ETIMEDOUT' },
  })
  expect(connections).toHaveLength(1)
})
