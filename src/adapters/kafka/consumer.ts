/**
 * The consumer end: hands batches over and returns at once, so that one partition never holds up another and kafkajs
 * goes on sending heartbeats. Offsets are committed by the lanes' transactions, or as {@link GroupConsumer.commit} is told,
 * never by itself.
 *
 * Nothing may throw out of a kafkajs callback: a TypeError in a handler stops the consumer for good without ending the
 * process. Every callback is guarded; a defect goes to `onDefect`, which ends it.
 */
import type { Batch, Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs'
import type { InputRecord, Moment, PartitionFlow } from '../../ports.ts'
import type { QuotaTerms } from '../../core/quota-shares.ts'
import { createCoPartitioning, type CoPartitioning } from './co-partition-assigner.ts'
import { explain, isPassing } from './errors.ts'
import { fromObject, type ObjectHeaders } from './object-headers.ts'
import type { TopicOffsets } from './offset-commits.ts'
import { takeHeartbeat, takeSyncAnswer } from './patch-membership.ts'
import { OperatorError } from '../../core/safe-error.ts'

export type Assignment = Readonly<Record<string, readonly number[]>>

/** What the group has decided for this member, beside its partitions. */
export interface Membership {
  readonly memberId: string
  readonly generation: number
  /** When the request was sent by whose answer this is known. */
  readonly sent: Moment
  /** What the group's leader went by; null when it does not say. */
  readonly terms: QuotaTerms | null
}

export interface ConsumerHooks {
  /** From now on the group may decide without asking again: the member is about to join, anew or for the first time, or to leave. */
  readonly onSteppingOut: () => void
  /** The group is about to decide anew. Not an early warning: kafkajs asks to join right after. Not told on every way there. */
  readonly onRebalancing: () => void
  readonly onAssigned: (membership: Membership, assignment: Assignment) => void
  readonly onRecords: (topic: string, partition: number, records: readonly InputRecord[]) => void
  /** `readUpTo` is the offset to be read next. */
  readonly onProgress: (
    topic: string,
    partition: number,
    at: { readUpTo: bigint; highWatermark: bigint },
  ) => void
  /** The group has accepted one that was sent then. */
  readonly onHeartbeat: (sent: Moment) => void
  /** Any sign of life of the fetch loop. */
  readonly onActivity: () => void
  /** The consumer has ended by itself, for a reason that passes: a new one is needed. */
  readonly onEnd: (message: string) => void
  /** The consumer is gone and would go again: the process should end with this sentence. */
  readonly onCrash: (message: string) => void
  readonly onDefect: (error: unknown) => void
}

export interface ConsumerOptions {
  readonly kafka: Kafka
  readonly groupId: string
  readonly inputTopic: string
  readonly retryTopics: readonly string[]
  readonly sessionTimeoutMs: number
  /** Permits of the quota to be shared by partitions; null where it is kept otherwise. */
  readonly permits: number | null
  readonly hooks: ConsumerHooks
}

export interface GroupConsumer {
  flow(topic: string, partition: number): PartitionFlow
  /** Joins the group. `onAssigned` is called before this resolves; rejects with a sentence when the brokers refuse. */
  start(): Promise<void>
  /** Commits offsets of records that were handed over. Rejects when the group thinks otherwise. */
  commit(topics: TopicOffsets[]): Promise<void>
  /** Leaves the group. To be called when the lanes are drained. */
  stop(): Promise<void>
}

const EARLIEST = '-2'
const MAX_WAIT_MS = 500
/** Soft: a producer's batch comes whole. Small, for all of it is in memory at once, for each partition. */
const MAX_BYTES_PER_PARTITION = 32 * 1024
/** Nor shorter than the session's: a member given up for joining late must have lost its lease, see `PartitionQuota`. */
const REBALANCE_TIMEOUT_MS = 60_000
/** Between two attempts to reach a broker: as Kafka's own client has it. */
const MOST_BACK_OFF_MS = 1_000
/** New partitions of a topic are read after this at the latest. */
const METADATA_MAX_AGE_MS = 15_000

export function createGroupConsumer(options: ConsumerOptions): GroupConsumer {
  const { kafka, hooks, sessionTimeoutMs, inputTopic, permits } = options
  const partitioning = createCoPartitioning({
    inputTopic,
    permits,
    stepsOut: () => guarded(hooks, hooks.onSteppingOut),
  })
  const consumer = kafka.consumer({
    groupId: options.groupId,
    partitionAssigners: [partitioning.assigner],
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: Math.max(REBALANCE_TIMEOUT_MS, sessionTimeoutMs),
    // Often, for a rebalance is learnt of by a heartbeat's refusal.
    heartbeatInterval: Math.min(1_000, Math.floor(sessionTimeoutMs / 5)),
    maxWaitTimeInMs: MAX_WAIT_MS,
    maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
    metadataMaxAge: METADATA_MAX_AGE_MS,
    allowAutoTopicCreation: false,
    retry: {
      // The loop's counter never resets while all is well, and brokers may be away for long.
      retries: Number.MAX_SAFE_INTEGER,
      initialRetryTime: 300,
      maxRetryTime: Math.min(MOST_BACK_OFF_MS, Math.floor(sessionTimeoutMs / 3)),
      restartOnFailure: () => Promise.resolve(false),
    },
  })
  // kafkajs resolves all the same when it ends while it starts.
  const start: { end: string | null; over: boolean } = { end: null, over: false }
  listen(consumer, hooks, partitioning)
  consumer.on(consumer.events.CRASH, ({ payload }) =>
    guarded(hooks, () => {
      const message = explain(payload.error)
      if (!isPassing(payload.error)) hooks.onCrash(message)
      else if (start.over) hooks.onEnd(message)
      else start.end = message
    }),
  )
  const commits = new Committing()
  return {
    flow: (topic, partition) => flowOf(consumer, { topic, partition }),
    start: async () => {
      await run(consumer, options, commits)
      start.over = true
      if (start.end !== null) throw new OperatorError(start.end)
    },
    commit: (topics) => commits.commit(topics),
    stop: () => consumer.disconnect(),
  }
}

/**
 * kafkajs's own `consumer.commitOffsets` wraps a rebalance so that it ends the consumer for good, and does nothing once it
 * stops. What comes with a batch does neither, and commits for whatever generation the member is in by then.
 */
class Committing {
  #payload: Pick<EachBatchPayload, 'commitOffsetsIfNecessary'> | null = null

  by(payload: EachBatchPayload): void {
    this.#payload = payload
  }

  async commit(topics: TopicOffsets[]): Promise<void> {
    if (this.#payload === null) throw new Error('Offsets were to be committed before a record had come.')
    await this.#payload.commitOffsetsIfNecessary({ topics })
  }
}

async function run(
  consumer: Consumer,
  { inputTopic, retryTopics, hooks }: ConsumerOptions,
  commits: Committing,
): Promise<void> {
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [inputTopic, ...retryTopics], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 8,
      eachBatch: (payload) => {
        commits.by(payload)
        guarded(hooks, () => takeOver(payload, hooks))
        return Promise.resolve()
      },
    })
  } catch (error) {
    throw new OperatorError(explain(error))
  }
}

function takeOver(payload: EachBatchPayload, hooks: ConsumerHooks): void {
  const { batch } = payload
  const last = batch.messages.at(-1)
  // Fetched before a seek that has not been carried out yet: it will be fetched again from there.
  if (last === undefined || payload.isStale()) return
  hooks.onRecords(
    batch.topic,
    batch.partition,
    batch.messages.map((message) => toRecord(batch, message)),
  )
  payload.resolveOffset(last.offset)
}

function toRecord({ topic, partition }: Batch, message: KafkaMessage): InputRecord {
  return {
    topic,
    partition,
    offset: BigInt(message.offset),
    timestampMs: Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers: fromObject(message.headers as ObjectHeaders | undefined),
  }
}

function listen(consumer: Consumer, hooks: ConsumerHooks, partitioning: CoPartitioning): void {
  const { events } = consumer
  consumer.on(events.REBALANCING, () => guarded(hooks, hooks.onRebalancing))
  consumer.on(events.GROUP_JOIN, ({ payload }) =>
    guarded(hooks, () =>
      hooks.onAssigned(membershipOf(payload.memberId, partitioning), payload.memberAssignment),
    ),
  )
  consumer.on(events.HEARTBEAT, ({ payload }) =>
    guarded(hooks, () => hooks.onHeartbeat(takeHeartbeat(payload.memberId))),
  )
  consumer.on(events.FETCH_START, () => guarded(hooks, hooks.onActivity))
  consumer.on(events.END_BATCH_PROCESS, ({ payload }) =>
    guarded(hooks, () =>
      hooks.onProgress(payload.topic, payload.partition, {
        readUpTo: BigInt(payload.lastOffset) + 1n,
        highWatermark: BigInt(payload.highWatermark),
      }),
    ),
  )
}

function membershipOf(memberId: string, partitioning: CoPartitioning): Membership {
  const { generation, sent, userData } = takeSyncAnswer(memberId)
  return { memberId, generation, sent, terms: partitioning.assigned(userData) }
}

function flowOf(
  consumer: Consumer,
  { topic, partition }: { topic: string; partition: number },
): PartitionFlow {
  return {
    pause: () => consumer.pause([{ topic, partitions: [partition] }]),
    resume: () => consumer.resume([{ topic, partitions: [partition] }]),
    seek: (offset) =>
      consumer.seek({ topic, partition, offset: offset === null ? EARLIEST : String(offset) }),
  }
}

function guarded(hooks: ConsumerHooks, callback: () => void): void {
  try {
    callback()
  } catch (error) {
    hooks.onDefect(error)
  }
}
