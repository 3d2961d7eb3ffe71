/**
 * A fake broker for the fetcher. Requests and responses are encoded to bytes and decoded again, so the wire format is
 * tested too. Supports Fetch version 10 and ListOffsets version 3.
 */
import { encodeBatch } from '../../src/adapters/kafka/sinks/encode-batch.ts'
import { API_KEYS, type Broker, type Exchange } from '../../src/adapters/kafka/kafkajs/internals.ts'
import { NO_HEADERS } from '../../src/core/records/headers.ts'
import { WireReader } from '../../src/adapters/kafka/fetch/wire-reader.ts'

export interface SeenFetch {
  readonly maxWaitMs: number
  readonly maxBytes: number
  readonly sessionId: number
  readonly epoch: number
  /** `topic:partition@offset`, in the requested order. */
  readonly asked: readonly string[]
  /** `topic:partition`. */
  readonly forgotten: readonly string[]
}

export interface FakePartitionAnswer {
  readonly topic: string
  readonly partition: number
  readonly errorCode?: number
  readonly highWatermark?: bigint
  readonly lastStable?: bigint
  readonly logStart?: bigint
  readonly records?: Buffer
}

export interface FakeFetchAnswer {
  readonly errorCode?: number
  readonly sessionId?: number
  readonly partitions: readonly FakePartitionAnswer[]
}

export interface ListedFake {
  readonly errorCode?: number
  readonly earliest: bigint
  readonly latest: bigint
}

export interface FakeBrokerOptions {
  readonly nodeId?: number
  readonly onFetch: (seen: SeenFetch) => FakeFetchAnswer | Promise<FakeFetchAnswer>
  readonly onListOffsets?: (topic: string, partition: number) => ListedFake
}

export interface FakeBroker {
  readonly broker: Broker
  readonly fetches: readonly SeenFetch[]
  /** Number of ListOffsets requests. */
  readonly listed: () => number
}

export function fakeBroker({ nodeId = 1, onFetch, onListOffsets }: FakeBrokerOptions): FakeBroker {
  const fetches: SeenFetch[] = []
  let listed = 0
  const send = async (exchange: Exchange): Promise<unknown> => {
    const encode = exchange.request['encode'] as () => Promise<{ readonly buffer: Buffer }>
    const reader = new RequestReader((await encode()).buffer)
    let payload: Buffer
    if (exchange.request['apiKey'] === API_KEYS.Fetch) {
      const seen = readFetch(reader)
      fetches.push(seen)
      payload = encodeFetchAnswer(await onFetch(seen))
    } else {
      listed += 1
      payload = answerListOffsets(reader, onListOffsets)
    }
    return Promise.resolve(exchange.response.decode(payload)).then((decoded) =>
      exchange.response.parse(decoded),
    )
  }
  const broker = {
    nodeId,
    versions: { 1: { maxVersion: 17 }, 2: { maxVersion: 9 } },
    connectionPool: { send },
    disconnect: () => Promise.resolve(),
  }
  return { broker: broker as unknown as Broker, fetches, listed: () => listed }
}

/** One batch with these values, at the offsets starting with `base`. */
export async function batchAt(base: bigint, values: readonly string[], leaderEpoch = 0): Promise<Buffer> {
  const records = values.map((value) => ({ key: null, value: Buffer.from(value), headers: NO_HEADERS }))
  const bytes = await encodeBatch(records, { transaction: null, timestampMs: 1_000, codec: 'none' })
  bytes.writeBigInt64BE(base, 0)
  bytes.writeInt32BE(leaderEpoch, 12)
  return bytes
}

function readFetch(reader: RequestReader): SeenFetch {
  reader.int32()
  const maxWaitMs = reader.int32()
  reader.int32()
  const maxBytes = reader.int32()
  reader.int8()
  const sessionId = reader.int32()
  const epoch = reader.int32()
  const asked = reader.topics((topic) => {
    const partition = reader.int32()
    reader.int32()
    const offset = reader.int64()
    reader.int64()
    reader.int32()
    return `${topic}:${partition}@${offset}`
  })
  const forgotten = reader.topics((topic) => `${topic}:${reader.int32()}`)
  return { maxWaitMs, maxBytes, sessionId, epoch, asked, forgotten }
}

export function encodeFetchAnswer({ errorCode = 0, sessionId = 7, partitions }: FakeFetchAnswer): Buffer {
  const parts = [int32(0), int16(errorCode), int32(sessionId), int32(partitions.length)]
  for (const one of partitions) {
    const { highWatermark = 0n, records = Buffer.alloc(0) } = one
    parts.push(string(one.topic), int32(1), int32(one.partition), int16(one.errorCode ?? 0))
    parts.push(int64(highWatermark), int64(one.lastStable ?? highWatermark), int64(one.logStart ?? 0n))
    parts.push(int32(-1), int32(records.length), records)
  }
  return Buffer.concat(parts)
}

function answerListOffsets(reader: RequestReader, answer: FakeBrokerOptions['onListOffsets']): Buffer {
  reader.int32()
  reader.int8()
  const asked = reader.topics((topic) => ({
    topic,
    partition: reader.int32(),
    isEarliest: reader.int64() === -2n,
  }))
  const parts = [int32(0), int32(asked.length)]
  for (const { topic, partition, isEarliest } of asked) {
    const { errorCode = 0, earliest, latest } = answer?.(topic, partition) ?? { earliest: 0n, latest: 0n }
    parts.push(string(topic), int32(1), int32(partition), int16(errorCode))
    parts.push(int64(-1n), int64(isEarliest ? earliest : latest))
  }
  return Buffer.concat(parts)
}

class RequestReader extends WireReader {
  topics<T>(read: (topic: string) => T): T[] {
    const all: T[] = []
    for (let topics = this.int32(); topics > 0; topics -= 1) {
      const topic = this.string()
      for (let left = this.int32(); left > 0; left -= 1) all.push(read(topic))
    }
    return all
  }
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}

function string(value: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)])
}
