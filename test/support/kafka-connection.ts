/** Connects kafkajs to a fake broker that sends given answers. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import kafkajs from 'kafkajs'
import { onTestFinished } from 'vitest'
import { ConnectionClass, EncoderClass, type Connection } from '../../src/adapters/kafka/kafkajs/internals.ts'
import { openSocket } from '../../src/adapters/kafka/kafkajs/sockets.ts'

export const REQUEST_TIMEOUT_MS = 6_000
export const CONNECTION_TIMEOUT_MS = 3_000
const API_VERSIONS = 18
const HEARTBEAT = 12

export interface TestRequest {
  readonly socket: Socket
  readonly correlationId: number
}

interface TestBroker {
  readonly port: number
  /** In the order in which they were opened. */
  readonly sockets: readonly Socket[]
}

interface TestBrokerOptions {
  /** Answers the first request of each connection: ApiVersions. */
  readonly isReached?: boolean
  /** Handles all other requests. Without it they get no answer. */
  readonly serve?: (request: TestRequest) => void
}

export async function startBroker({ isReached = true, serve }: TestBrokerOptions = {}): Promise<TestBroker> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    // The client closes the connection.
    socket.on('error', () => undefined)
    socket.on('data', (bytes: Buffer) => {
      for (const { apiKey, correlationId } of requestsIn(bytes)) {
        if (apiKey !== API_VERSIONS) serve?.({ socket, correlationId })
        else if (isReached) socket.write(answerTo({ correlationId }))
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { port, sockets }
}

/** The requests are short, so each chunk contains whole requests. */
function* requestsIn(bytes: Buffer): Generator<{ apiKey: number; correlationId: number }> {
  for (let at = 0; at < bytes.length; at += 4 + bytes.readInt32BE(at)) {
    yield { apiKey: bytes.readInt16BE(at + 4), correlationId: bytes.readInt32BE(at + 8) }
  }
}

/** Logs in if a mechanism is given. */
export function connectionTo(port: number, { mechanism }: { mechanism?: string } = {}): Connection {
  const connection = new ConnectionClass({
    sasl: mechanism === undefined ? null : { mechanism },
    host: '127.0.0.1',
    port,
    logger: new kafkajs.Kafka({ brokers: ['unused:1'], logLevel: kafkajs.logLevel.NOTHING }).logger(),
    socketFactory: openSocket,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
  })
  onTestFinished(() => void connection.socket?.destroy())
  return connection
}

/** Resolves with the answer as hexadecimal digits. */
export function ask(connection: Connection, apiKey: number = HEARTBEAT): Promise<unknown> {
  const request = {
    apiKey,
    apiName: 'Any',
    apiVersion: 0,
    encode: () => Promise.resolve(new EncoderClass()),
  }
  const response = {
    decode: (payload: Buffer) => ({ payload }),
    parse: (decoded: object) => (decoded as { payload: Buffer }).payload.toString('hex'),
  }
  const answered = connection.send({ request, response })
  // Callers that need the outcome await it.
  answered.catch(() => undefined)
  return answered
}

export function answerTo(
  { correlationId }: Pick<TestRequest, 'correlationId'>,
  payload: readonly number[] = [],
) {
  return Buffer.from([0, 0, 0, 4 + payload.length, 0, 0, 0, correlationId, ...payload])
}
