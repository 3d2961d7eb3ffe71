import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import kafkajs from 'kafkajs'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createCluster } from '../../../../src/adapters/kafka/internals.ts'
import { patchConnection } from '../../../../src/adapters/kafka/patch-connection.ts'
import { patchRequestQueue } from '../../../../src/adapters/kafka/patch-request-queue.ts'
import { openSocket } from '../../../../src/adapters/kafka/sockets.ts'

const TIMEOUT_MS = 5_000

test('a broker that takes the connection and says nothing is given up with the first request', async () => {
  let connections = 0
  const asked = Promise.withResolvers<void>()
  const silent = createServer((socket) => {
    connections += 1
    socket.on('data', () => asked.resolve())
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
    connectionTimeout: TIMEOUT_MS,
    requestTimeout: TIMEOUT_MS,
    socketFactory: openSocket,
    retry: { retries: 0 },
  })
  // Time-outs are looked for once a second, and counted from the first look.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const connecting = cluster.connect()
  await asked.promise
  vi.advanceTimersByTime(TIMEOUT_MS + 2_000)
  await expect(connecting).rejects.toMatchObject({
    cause: { name: 'KafkaJSConnectionError', code: 'ETIMEDOUT' },
  })
  expect(connections).toBe(1)
})
