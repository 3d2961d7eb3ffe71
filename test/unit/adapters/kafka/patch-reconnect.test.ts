import { beforeEach, expect, test } from 'vitest'
import { patchReconnect } from '../../../../src/adapters/kafka/patch-reconnect.ts'
import { patchRequestQueue } from '../../../../src/adapters/kafka/patch-request-queue.ts'
import { patchSilence } from '../../../../src/adapters/kafka/patch-silence.ts'
import {
  answerTo,
  ask,
  connectionTo,
  startBroker,
  type TestRequest,
} from '../../../support/kafka-connection.ts'

const connectionError = { name: 'KafkaJSConnectionError' }
const HALF = 6
const answerSeven = (request: TestRequest): unknown => request.socket.write(answerTo(request, [7]))

beforeEach(() => {
  patchRequestQueue()
  patchSilence()
  patchReconnect()
})

test('an answer that broke off is no part of those on the next connection', async () => {
  const { port, sockets } = await startBroker({
    serve: (request) => {
      if (sockets.length > 1) answerSeven(request)
      else request.socket.end(answerTo(request, [7]).subarray(0, HALF))
    },
  })
  const connection = connectionTo(port)
  await connection.connect()
  await expect(ask(connection)).rejects.toMatchObject({ name: 'KafkaJSConnectionClosedError' })
  await connection.connect()
  await expect(ask(connection)).resolves.toBe('07')
})

test('what the connection before still has to say is not heard on the next, nor its end', async () => {
  const { port, sockets } = await startBroker({ serve: answerSeven })
  const connection = connectionTo(port)
  await connection.connect()
  await connection.disconnect()
  await connection.connect()
  sockets[0]?.end(answerTo({ correlationId: 2 }, [1]))
  await expect(ask(connection)).resolves.toBe('07')
})

test('who finds it closed while somebody connects it waits for the same socket', async () => {
  const { port, sockets } = await startBroker({ serve: answerSeven })
  const connection = connectionTo(port)
  await Promise.all([connection.connect(), connection.connect()])
  await expect(ask(connection)).resolves.toBe('07')
  expect(sockets).toHaveLength(1)
})

test('a login is told that its connection has broken', async () => {
  const { port, sockets } = await startBroker()
  const connection = connectionTo(port)
  await connection.connect()
  const request = { encode: () => Buffer.from('a login, as long as a request') }
  const response = { decode: () => ({}), parse: () => undefined }
  const answered = connection.sendAuthRequest({ request, response })
  sockets[0]?.resetAndDestroy()
  await expect(answered).rejects.toMatchObject(connectionError)
})

test('so is a request whose socket we closed ourselves', async () => {
  const { promise: asked, resolve: serve } = Promise.withResolvers<TestRequest>()
  const { port } = await startBroker({ serve })
  const connection = connectionTo(port)
  await connection.connect()
  const answered = ask(connection)
  await asked
  connection.socket?.destroy()
  await expect(answered).rejects.toMatchObject(connectionError)
})
