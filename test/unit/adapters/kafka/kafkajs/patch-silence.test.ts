import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import type { Connection } from '../../../../../src/adapters/kafka/kafkajs/internals.ts'
import { applyPatches } from '../../../../../src/adapters/kafka/kafkajs/patches.ts'
import {
  answerTo,
  ask,
  CONNECTION_TIMEOUT_MS,
  connectionTo,
  REQUEST_TIMEOUT_MS,
  startBroker,
  type TestRequest,
} from '../../../../support/kafka-connection.ts'

const JOIN_GROUP = 11
const silentBroker = { name: 'KafkaJSConnectionError', code: 'ETIMEDOUT' }

async function connectTo(port: number): Promise<Connection> {
  const connection = connectionTo(port)
  await connection.connect()
  return connection
}

/** Resolves when the request has been written. */
async function asked(connection: Connection, apiKey?: number): Promise<{ answered: Promise<unknown> }> {
  const answered = ask(connection, apiKey)
  await vi.waitFor(() => expect(connection.requestQueue.inflight.size).toBe(1))
  return { answered }
}

beforeEach(() => {
  applyPatches()
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
})

test('a connection attempt fails after its timeout if the broker accepts it but never responds', async () => {
  const { port } = await startBroker({ isReached: false })
  const connection = connectionTo(port)
  const connecting = connection.connect()
  connecting.catch(() => undefined)
  await vi.waitFor(() => expect(connection.requestQueue.inflight.size).toBe(1))
  vi.advanceTimersByTime(CONNECTION_TIMEOUT_MS)
  await expect(connecting).rejects.toMatchObject(silentBroker)
})

test('a SASL connection starts with its login request, within the same timeout', async () => {
  const { port, sockets } = await startBroker()
  const connection = connectionTo(port, { mechanism: 'plain' })
  await connection.connect()
  await vi.waitFor(() => expect(sockets).toHaveLength(1))
  expect(connection.requestQueue.inflight.size).toBe(0)
  vi.advanceTimersByTime(CONNECTION_TIMEOUT_MS)
  expect([connection.socket?.destroyed, sockets[0]?.bytesRead]).toEqual([true, 0])
})

test('a slow request has the request timeout, even on a new connection', async () => {
  const { promise: requestReceived, resolve: serve } = Promise.withResolvers<TestRequest>()
  const { port } = await startBroker({ serve })
  const { answered } = await asked(await connectTo(port), JOIN_GROUP)
  vi.advanceTimersByTime(CONNECTION_TIMEOUT_MS + 1)
  const request = await requestReceived
  request.socket.write(answerTo(request, [7]))
  await expect(answered).resolves.toBe('07')
})

test('when a connection is silent for too long, all equally silent connections to that broker are closed, including idle ones', async () => {
  const [broker, other] = [await startBroker(), await startBroker()]
  const idle = await connectTo(broker.port)
  const otherBroker = await connectTo(other.port)
  const silent = await connectTo(broker.port)
  const { answered } = await asked(silent)
  // Checked once a second, counted from the first check.
  vi.advanceTimersByTime(REQUEST_TIMEOUT_MS + 1_000)
  await expect(answered).rejects.toMatchObject(silentBroker)
  expect([idle, silent, otherBroker].map(({ socket }) => socket?.destroyed)).toEqual([true, true, false])
})

test('a connection that received data meanwhile stays open', async () => {
  const { port, sockets } = await startBroker({
    serve: (request) => request.socket === sockets[1] && request.socket.write(answerTo(request)),
  })
  const [silent, activeConnection] = [await connectTo(port), await connectTo(port)]
  const unanswered = await asked(silent, JOIN_GROUP)
  vi.advanceTimersByTime(REQUEST_TIMEOUT_MS)
  await ask(activeConnection)
  vi.advanceTimersByTime(1_000)
  await expect(unanswered.answered).rejects.toMatchObject(silentBroker)
  expect(activeConnection.socket?.destroyed).toBe(false)
})
