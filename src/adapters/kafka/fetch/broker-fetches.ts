/**
 * Fetches from one broker: one fetch at a time, in a session per broker, so that brokers do not wait for each
 * other, and partitions of one broker do not either. Ends when the broker leads none of our partitions any more.
 */
import { Pause } from '../../../core/pause.ts'
import type { Clock, InputRecord, Log } from '../../../ports.ts'
import { BATCH } from '../batch-format.ts'
import { partitionKey } from '../../../core/partitions/topic-partition.ts'
import { fetch } from '../broker-requests.ts'
import { decodeRecords } from './decode-records.ts'
import type { PartitionAnswer } from './fetch-answer.ts'
import { FetchSession, type WantedPartition } from './fetch-session.ts'
import type { FetchedPartition } from './fetched-partition.ts'
import { createErrorFromCode, READ_COMMITTED, type Broker } from '../kafkajs/internals.ts'

export interface BrokerFetchesOptions {
  readonly nodeId: number
  /** Connects first if necessary. */
  readonly findBroker: (nodeId: number) => Promise<Broker>
  /** The partitions this broker leads, in the order in which they take turns. */
  readonly led: (nodeId: number) => readonly FetchedPartition[]
  readonly find: (key: string) => FetchedPartition | undefined
  /** Looks up the start of partitions without a position. */
  readonly lookUp: (broker: Broker, partitions: readonly FetchedPartition[]) => Promise<void>
  readonly clock: Clock
  readonly log: Pick<Log, 'warn'>
  readonly onRecords: (partition: FetchedPartition, records: readonly InputRecord[]) => void
  /** Called if the position or the known state of the log has changed. */
  readonly onProgress: (partition: FetchedPartition) => void
  /** Moves the partition to the end of the turn order. */
  readonly onServed: (partition: FetchedPartition) => void
  readonly onActivity: () => void
  /** A partition may have moved: refreshes the metadata. */
  readonly refresh: () => void
  /** Whether this error ends the consumer. Nothing is fetched afterwards. */
  readonly onError: (error: unknown) => boolean
  readonly onEnd: () => void
}

/** How long the broker may hold a fetch without data. */
const MAX_WAIT_MS = 500
/**
 * Used while a partition is paused, because its next fetch has to wait for the current one. At most twenty fetches
 * a second.
 */
const MAX_WAIT_WHILE_PAUSED_MS = 50
/** Limit for a whole response, which is in memory at once. */
const MAX_BYTES = 512 * 1024
/**
 * Limits for each partition. The more partitions have records, the less is read of each at once, so that all of them
 * together fit into memory. Only the first partition of a response gets a batch that is larger; the others follow in
 * later responses, because the broker moves a partition that was served to the end.
 */
const BYTES_PER_PARTITION = { min: 2 * 1024, max: 32 * 1024 } as const
/** Records decoded at once, however many a batch contains. */
const MAX_RECORDS_AT_ONCE = 256
const MAX_BYTES_AT_ONCE = 512 * 1024
const BACK_OFF_MS = { first: 100, max: 1_000 } as const

/** Used since Kafka 0.11. */
const BATCH_MAGIC = 2
const OFFSET_OUT_OF_RANGE = 1
const UNKNOWN_TOPIC_OR_PARTITION = 3
const TOPIC_AUTHORIZATION_FAILED = 29
const SESSION_LOST: ReadonlySet<number> = new Set([70, 71])

export class BrokerFetches {
  readonly #options: BrokerFetchesOptions
  readonly #session = new FetchSession()
  #closed = false
  #failures = 0
  #answeredMs = -Infinity
  readonly #pause: Pause

  constructor(options: BrokerFetchesOptions) {
    this.#options = options
    this.#pause = new Pause(options.clock)
  }

  async run(): Promise<void> {
    const { nodeId, led, onActivity, onEnd, onError, refresh } = this.#options
    while (!this.#closed) {
      onActivity()
      const partitions = led(nodeId)
      if (partitions.length === 0) break
      try {
        await this.#turn(partitions)
        this.#failures = 0
      } catch (error) {
        this.#session.failed()
        if (this.#closed || onError(error)) break
        refresh()
        await this.#backOff()
      }
    }
    onEnd()
  }

  /**
   * When this broker last reported everything it has for a partition, in monotonic milliseconds. Null while the
   * partition is not fetched.
   */
  answeredMs(key: string): number | null {
    return this.#session.offsetOf(key) === null ? null : this.#answeredMs
  }

  /** Called when a fetch has become possible. */
  wake(): void {
    this.#pause.end()
  }

  close(): void {
    this.#closed = true
    this.wake()
  }

  async #turn(partitions: readonly FetchedPartition[]): Promise<void> {
    const { nodeId, findBroker, clock, lookUp } = this.#options
    const nowMs = clock.monotonicMs()
    const ready = partitions.filter((one) => one.mayBeAsked(nowMs))
    const lost = ready.filter(({ lookup }) => lookup !== null && lookup !== 'committed')
    if (lost.length > 0) await lookUp(await findBroker(nodeId), lost)
    const wanted = ready.filter(mayBeFetched)
    if (wanted.length === 0) {
      return this.#pause.wait(ready.length < partitions.length ? MAX_WAIT_WHILE_PAUSED_MS : MAX_WAIT_MS)
    }
    const broker = await findBroker(nodeId)
    if (this.#closed) return
    const isShort = partitions.some(({ isPaused, next }) => isPaused || next === null)
    await this.#fetch(broker, wanted, {
      maxWaitTime: isShort ? MAX_WAIT_WHILE_PAUSED_MS : MAX_WAIT_MS,
      maxBytesEach: bytesPerPartition(partitions),
    })
  }

  async #fetch(
    broker: Broker,
    wanted: readonly WantedPartition[],
    { maxWaitTime, maxBytesEach }: { maxWaitTime: number; maxBytesEach: number },
  ): Promise<void> {
    const { clock, find, refresh } = this.#options
    const answer = await fetch(broker, {
      ...this.#session.next(wanted, maxBytesEach),
      isolationLevel: READ_COMMITTED,
      maxWaitTime,
      minBytes: 1,
      maxBytes: MAX_BYTES,
    })
    if (SESSION_LOST.has(answer.errorCode)) return this.#session.failed()
    if (answer.errorCode !== 0) throw createErrorFromCode(answer.errorCode)
    this.#session.answered(answer.sessionId)
    this.#answeredMs = clock.monotonicMs()
    let mayHaveMoved = false
    for (const one of answer.partitions) {
      const partition = find(partitionKey(one))
      const asked = partition === undefined ? null : this.#session.offsetOf(partition.key)
      if (partition === undefined || asked === null || this.#closed) continue
      if (one.errorCode === 0) await this.#take(partition, one, asked)
      else {
        this.#failed(partition, one.errorCode, asked)
        mayHaveMoved = true
      }
    }
    if (mayHaveMoved) refresh()
  }

  async #take(partition: FetchedPartition, answer: PartitionAnswer, from: bigint): Promise<void> {
    const { onProgress } = this.#options
    partition.succeeded()
    partition.log = { highWatermark: answer.highWatermark, lastStable: answer.lastStableOffset }
    if (answer.records.length > 0 && isWanted(partition, from)) await this.#read(partition, answer, from)
    onProgress(partition)
  }

  /** Decodes in pieces, each passed on before the next is decompressed. */
  async #read(partition: FetchedPartition, answer: PartitionAnswer, begin: bigint): Promise<void> {
    const { find, onRecords, onServed, log } = this.#options
    const { topic, partition: number, records: bytes, aborted } = answer
    const epoch = leaderEpochOf(bytes)
    if (epoch !== null && epoch < partition.epoch) return partition.lookUp('replaced')
    partition.epoch = epoch ?? partition.epoch
    for (let from = begin, hasMore = true; hasMore && isWanted(partition, from);) {
      const piece = await decodeRecords(bytes, {
        topic,
        partition: number,
        from,
        aborted,
        log,
        maxRecords: MAX_RECORDS_AT_ONCE,
        maxBytes: MAX_BYTES_AT_ONCE,
      })
      // The partition may have been paused, moved or revoked during decompression.
      if (find(partition.key) !== partition || !isWanted(partition, from)) return
      onServed(partition)
      partition.moveTo(piece.nextOffset)
      if (piece.records.length > 0) onRecords(partition, piece.records)
      from = piece.nextOffset
      hasMore = piece.more
    }
  }

  #failed(partition: FetchedPartition, errorCode: number, from: bigint): void {
    if (errorCode === OFFSET_OUT_OF_RANGE) {
      if (isWanted(partition, from)) partition.lookUp('range')
      return
    }
    const { onError, clock } = this.#options
    partition.failed(clock.monotonicMs())
    if (errorCode === UNKNOWN_TOPIC_OR_PARTITION && isWanted(partition, from)) partition.lookUp('suspect')
    if (errorCode === TOPIC_AUTHORIZATION_FAILED) onError(createErrorFromCode(errorCode))
  }

  async #backOff(): Promise<void> {
    const delayMs = Math.min(BACK_OFF_MS.first * 2 ** this.#failures, BACK_OFF_MS.max)
    this.#failures += 1
    await new Promise<void>((resolve) => void this.#options.clock.after(delayMs, resolve))
  }
}

function mayBeFetched(partition: FetchedPartition): partition is FetchedPartition & WantedPartition {
  return partition.next !== null && !partition.isPaused
}

/** In powers of two, so that it rarely changes. */
function bytesPerPartition(partitions: readonly FetchedPartition[]): number {
  const busy = partitions.reduce((count, one) => count + (one.hasMore ? 1 : 0), 1)
  const share = 2 ** Math.floor(Math.log2(MAX_BYTES / busy))
  return Math.max(BYTES_PER_PARTITION.min, Math.min(BYTES_PER_PARTITION.max, share))
}

/** Not paused or moved since it was requested. */
function isWanted({ isPaused, next }: FetchedPartition, from: bigint): boolean {
  return !isPaused && next === from
}

/** Leader epoch of the first batch. Null for formats without one. */
function leaderEpochOf(bytes: Buffer): number | null {
  if (bytes.length <= BATCH.magic || bytes.readInt8(BATCH.magic) < BATCH_MAGIC) return null
  return bytes.readInt32BE(BATCH.leaderEpoch)
}
