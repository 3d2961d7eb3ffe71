import { beforeEach, expect, test } from 'vitest'
import { applyPatches } from '../../../../../src/adapters/kafka/kafkajs/patches.ts'
import {
  answerTo,
  ask,
  connectionTo,
  startBroker,
  type TestRequest,
} from '../../../../support/kafka-connection.ts'

const connectionError = { name: 'KafkaJSConnectionError' }
const HALF = 6
const answerSeven = (request: TestRequest): unknown => request.socket.write(answerTo(request, [7]))

beforeEach(() => applyPatches())

test('a partial response is not mixed with responses on the next connection', async () => {
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

test('late data and the end of the previous socket do not affect the next connection', async () => {
  const { port, sockets } = await startBroker({ serve: answerSeven })
  const connection = connectionTo(port)
  await connection.connect()
  await connection.disconnect()
  await connection.connect()
  sockets[0]?.end(answerTo({ correlationId: 2 }, [1]))
  await expect(ask(connection)).resolves.toBe('07')
})

test('a caller that finds the connection closed waits for the connection attempt in progress', async () => {
  const { port, sockets } = await startBroker({ serve: answerSeven })
  const connection = connectionTo(port)
  await Promise.all([connection.connect(), connection.connect()])
  await expect(ask(connection)).resolves.toBe('07')
  expect(sockets).toHaveLength(1)
})

test('a login fails if its connection breaks', async () => {
  const { port, sockets } = await startBroker()
  const connection = connectionTo(port)
  await connection.connect()
  const request = { encode: () => Buffer.from('a login, as long as a request') }
  const response = { decode: () => ({}), parse: () => undefined }
  const answered = connection.sendAuthRequest({ request, response })
  sockets[0]?.resetAndDestroy()
  await expect(answered).rejects.toMatchObject(connectionError)
})

test('a request fails if its socket is closed locally', async () => {
  const { promise: asked, resolve: serve } = Promise.withResolvers<TestRequest>()
  const { port } = await startBroker({ serve })
  const connection = connectionTo(port)
  await connection.connect()
  const answered = ask(connection)
  await asked
  connection.socket?.destroy()
  await expect(answered).rejects.toMatchObject(connectionError)
})
