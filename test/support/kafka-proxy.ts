/**
 * A proxy in front of one loopback broker that can treat requests by their kind. It replaces the broker's address in
 * responses by its own, so all connections go through it.
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export const API = {
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  findCoordinator: 10,
  describeConfigs: 32,
} as const

export interface ProxiedRequest {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
}

/** A Buffer is the body of the response to send instead of the broker's. */
export type Treatment = 'pass' | 'cut' | 'ignore' | Buffer

export interface KafkaProxy {
  /** `host:port`, for KAFKA_BROKERS. */
  readonly broker: string
  readonly close: () => Promise<void>
}

const HOST = '127.0.0.1'
const HEADER_BYTES = 12

export async function startKafkaProxy(
  broker: string,
  treat: (request: ProxiedRequest) => Treatment,
): Promise<KafkaProxy> {
  const target = Number(broker.split(':').at(-1))
  const sockets = new Set<Socket>()
  let port = 0

  function accept(client: Socket): void {
    const upstream = connect({ host: HOST, port: target, noDelay: true })
    const namesBroker = new Set<number>()
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on(
      'data',
      framed((frame) => {
        const request = requestIn(frame)
        const treatment = treat(request)
        if (treatment === 'pass') {
          if (request.apiKey === API.metadata || request.apiKey === API.findCoordinator)
            namesBroker.add(request.correlationId)
          return void upstream.write(frame)
        }
        if (treatment === 'cut') client.resetAndDestroy()
        if (Buffer.isBuffer(treatment)) client.write(answerTo(request, treatment))
      }),
    )
    upstream.on(
      'data',
      framed((frame) => {
        if (namesBroker.delete(frame.readInt32BE(4))) readdress(frame, target, port)
        client.write(frame)
      }),
    )
  }

  const server = createServer({ noDelay: true }, accept)
  server.listen(0, HOST)
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
  return {
    broker: `${HOST}:${port}`,
    close: async () => {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

/** Calls back with whole frames, including their length. */
function framed(onFrame: (frame: Buffer) => void): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (bytes) => {
    rest = Buffer.concat([rest, bytes])
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0)
      onFrame(Buffer.from(rest.subarray(0, end)))
      rest = rest.subarray(end)
    }
  }
}

function requestIn(frame: Buffer): ProxiedRequest {
  if (frame.length < HEADER_BYTES) throw new Error('The frame is too short for a Kafka request.')
  return {
    apiKey: frame.readInt16BE(4),
    apiVersion: frame.readInt16BE(6),
    correlationId: frame.readInt32BE(8),
  }
}

function answerTo({ correlationId }: ProxiedRequest, body: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeInt32BE(4 + body.length, 0)
  head.writeInt32BE(correlationId, 4)
  return Buffer.concat([head, body])
}

/** Replaces the broker's port, which follows its host. The encoding of the host's length depends on the version. */
function readdress(frame: Buffer, from: number, to: number): void {
  const host = Buffer.from(HOST)
  for (let at = frame.indexOf(host); at >= 0; at = frame.indexOf(host, at + 1)) {
    const portAt = at + host.length
    if (portAt + 4 <= frame.length && frame.readInt32BE(portAt) === from) frame.writeInt32BE(to, portAt)
  }
}

/** A DescribeConfigs response (versions 0 to 2) with an error for one topic. */
export function describeConfigsError(errorCode: number): Buffer {
  const body = Buffer.alloc(4 + 4 + 2 + 2 + 1 + 3 + 4)
  body.writeInt32BE(1, 4)
  body.writeInt16BE(errorCode, 8)
  body.writeInt16BE(-1, 10)
  body.writeInt8(2, 12)
  body.writeInt16BE(1, 13)
  body.write('t', 15)
  return body
}
