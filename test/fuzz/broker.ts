/**
 * A Kafka client for one broker that produces given batches unchanged, in and outside of transactions, and reads
 * committed records including everything that kafkajs would omit or change.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Reader, Writer } from './bytes.ts'
import { decodeBatches, type StoredRecord } from './record-batch.ts'

const API = {
  produce: { key: 0, version: 7 },
  fetch: { key: 1, version: 4 },
  initProducerId: { key: 22, version: 1 },
  addPartitions: { key: 24, version: 1 },
  endTransaction: { key: 26, version: 1 },
} as const
const CLIENT_ID = 'fuzz'
const ALL_REPLICAS = -1
const TIMEOUT_MS = 30_000
const READ_COMMITTED = 1
const FETCH_WAIT_MS = 100
const FETCH_BYTES = 8 * 1_024 * 1_024
const PARTITION_FETCH_BYTES = 1_024 * 1_024
/**
 * The coordinator is loading, is still ending the previous transaction, or does not know a new partition yet. A retry
 * soon succeeds.
 */
const PASSING = new Set([14, 15, 16, 51, 3, 6])
const PAUSE_MS = 50
const MAX_TRIES = 200

export interface Producer {
  readonly id: bigint
  readonly epoch: number
}

export interface PartitionBatch {
  readonly partition: number
  readonly batch: Buffer
}

export type Produced =
  | { readonly kind: 'stored'; readonly partition: number; readonly baseOffset: bigint }
  /** The broker's error code. */
  | { readonly kind: 'refused'; readonly partition: number; readonly code: number }

export class BrokerConnection {
  readonly #socket: Socket
  readonly #waiting = new Map<number, (answer: Reader) => void>()
  #received: Buffer = Buffer.alloc(0)
  #lastId = 0
  #failed: Error | null = null
  readonly #rejectAll = new Set<(error: Error) => void>()

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => this.#receive(bytes))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('The broker closed the connection.')))
  }

  static async open(address: string): Promise<BrokerConnection> {
    const [host = '', port = ''] = address.split(':')
    const socket = connect({ host, port: Number(port), noDelay: true })
    await once(socket, 'connect')
    return new BrokerConnection(socket)
  }

  close(): void {
    this.#socket.destroy()
  }

  /** `transactionalId` is null outside of transactions. */
  async produce(
    topic: string,
    batches: readonly PartitionBatch[],
    transactionalId: string | null,
  ): Promise<Produced[]> {
    const request = new Writer()
      .string(transactionalId)
      .int16(ALL_REPLICAS)
      .int32(TIMEOUT_MS)
      .int32(1)
      .string(topic)
      .int32(batches.length)
    for (const { partition, batch } of batches) request.int32(partition).bytes(batch)
    const answer = await this.#send(API.produce, request)
    const produced: Produced[] = []
    for (let topics = answer.int32(); topics > 0; topics -= 1) {
      answer.string()
      for (let partitions = answer.int32(); partitions > 0; partitions -= 1) {
        const partition = answer.int32()
        const code = answer.int16()
        const baseOffset = answer.int64()
        answer.int64()
        answer.int64()
        produced.push(
          code === 0 ? { kind: 'stored', partition, baseOffset } : { kind: 'refused', partition, code },
        )
      }
    }
    return produced
  }

  async initProducer(transactionalId: string): Promise<Producer> {
    return this.#withRetries(async () => {
      const answer = await this.#send(
        API.initProducerId,
        new Writer().string(transactionalId).int32(TIMEOUT_MS),
      )
      answer.int32()
      const code = answer.int16()
      return { code, value: { id: answer.int64(), epoch: answer.int16() } }
    })
  }

  async addPartitions(
    transactionalId: string,
    { id, epoch }: Producer,
    { topic, partitions }: { readonly topic: string; readonly partitions: readonly number[] },
  ): Promise<void> {
    await this.#withRetries(async () => {
      const request = new Writer()
        .string(transactionalId)
        .int64(id)
        .int16(epoch)
        .int32(1)
        .string(topic)
        .int32(partitions.length)
      for (const partition of partitions) request.int32(partition)
      const answer = await this.#send(API.addPartitions, request)
      answer.int32()
      let worst = 0
      for (let topics = answer.int32(); topics > 0; topics -= 1) {
        answer.string()
        for (let left = answer.int32(); left > 0; left -= 1) {
          answer.int32()
          worst ||= answer.int16()
        }
      }
      return { code: worst, value: undefined }
    })
  }

  async endTransaction(
    transactionalId: string,
    { id, epoch }: Producer,
    end: 'commit' | 'abort',
  ): Promise<void> {
    await this.#withRetries(async () => {
      const request = new Writer()
        .string(transactionalId)
        .int64(id)
        .int16(epoch)
        .int8(end === 'commit' ? 1 : 0)
      const answer = await this.#send(API.endTransaction, request)
      answer.int32()
      return { code: answer.int16(), value: undefined }
    })
  }

  /**
   * The committed records from these offsets on, without those of aborted transactions, and the offsets to read next.
   */
  async fetch(positions: readonly Position[]): Promise<Fetched[]> {
    const topics = Map.groupBy(positions, ({ topic }) => topic)
    const request = new Writer()
      .int32(-1)
      .int32(FETCH_WAIT_MS)
      .int32(1)
      .int32(FETCH_BYTES)
      .int8(READ_COMMITTED)
      .int32(topics.size)
    for (const [topic, partitions] of topics) {
      request.string(topic).int32(partitions.length)
      for (const { partition, offset } of partitions)
        request.int32(partition).int64(offset).int32(PARTITION_FETCH_BYTES)
    }
    const answer = await this.#send(API.fetch, request)
    answer.int32()
    const fetched: Fetched[] = []
    for (let left = answer.int32(); left > 0; left -= 1) {
      const topic = answer.string() ?? ''
      for (let partitions = answer.int32(); partitions > 0; partitions -= 1)
        fetched.push(readPartition(answer, topic, positions))
    }
    return fetched
  }

  async #withRetries<T>(ask: () => Promise<{ code: number; value: T }>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      const { code, value } = await ask()
      if (code === 0) return value
      if (!PASSING.has(code) || tries === MAX_TRIES)
        throw new Error(`The broker answered with error ${code}.`)
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }

  #send({ key, version }: { key: number; version: number }, body: Writer): Promise<Reader> {
    if (this.#failed !== null) return Promise.reject(this.#failed)
    const id = (this.#lastId += 1)
    const message = new Writer().int16(key).int16(version).int32(id).string(CLIENT_ID).raw(body.done()).done()
    return new Promise((resolve, reject) => {
      this.#rejectAll.add(reject)
      this.#waiting.set(id, (answer) => {
        this.#rejectAll.delete(reject)
        resolve(answer)
      })
      this.#socket.write(new Writer().int32(message.length).done())
      this.#socket.write(message)
    })
  }

  readonly #chunks: Buffer[] = []
  #chunkBytes = 0

  #receive(bytes: Buffer): void {
    this.#chunks.push(bytes)
    this.#chunkBytes += bytes.length
    const needed = this.#received.length >= 4 ? 4 + this.#received.readInt32BE(0) : 4
    if (this.#received.length + this.#chunkBytes < needed) return
    this.#received = Buffer.concat([this.#received, ...this.#chunks])
    this.#chunks.length = 0
    this.#chunkBytes = 0
    while (this.#received.length >= 4 && this.#received.length >= 4 + this.#received.readInt32BE(0)) {
      const end = 4 + this.#received.readInt32BE(0)
      const answer = new Reader(this.#received.subarray(4, end))
      this.#received = this.#received.subarray(end)
      const id = answer.int32()
      const waiter = this.#waiting.get(id)
      this.#waiting.delete(id)
      waiter?.(answer)
    }
  }

  #fail(error: Error): void {
    this.#failed ??= error
    for (const reject of this.#rejectAll) reject(this.#failed)
    this.#rejectAll.clear()
  }
}

export interface Position {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

export interface Fetched extends Position {
  readonly records: readonly StoredRecord[]
}

interface Aborted {
  readonly producerId: bigint
  readonly firstOffset: bigint
}

function readPartition(answer: Reader, topic: string, positions: readonly Position[]): Fetched {
  const partition = answer.int32()
  const code = answer.int16()
  answer.int64()
  answer.int64()
  const aborted: Aborted[] = []
  for (let left = answer.int32(); left > 0; left -= 1)
    aborted.push({ producerId: answer.int64(), firstOffset: answer.int64() })
  const batches = decodeBatches(answer.raw(Math.max(0, answer.int32())))
  const from = positions.find((one) => one.topic === topic && one.partition === partition)?.offset ?? 0n
  if (code !== 0) {
    if (!PASSING.has(code)) throw new Error(`Fetch of ${topic} [${partition}] failed with error ${code}.`)
    return { topic, partition, offset: from, records: [] }
  }
  const left = aborted.toSorted((one, other) => Number(one.firstOffset - other.firstOffset))
  const open = new Set<bigint>()
  const records: StoredRecord[] = []
  for (const batch of batches) {
    for (let next = left[0]; next !== undefined && next.firstOffset <= batch.lastOffset; next = left[0]) {
      open.add(next.producerId)
      left.shift()
    }
    if (batch.control === 'abort') open.delete(batch.producerId)
    if (batch.transactional && open.has(batch.producerId)) continue
    records.push(...batch.records.filter(({ offset }) => offset >= from))
  }
  const last = batches.at(-1)
  return { topic, partition, offset: last === undefined ? from : last.lastOffset + 1n, records }
}
