/** Kafka helpers for tests: unique topics, records in and out. All clients are closed after the test. */
import { randomUUID } from 'node:crypto'
import kafkajs, {
  type Admin,
  type Consumer,
  type EachBatchPayload,
  type IHeaders,
  type ITopicConfig,
  type Kafka,
  type Message,
  type Producer,
} from 'kafkajs'
import { inject, onTestFinished } from 'vitest'
import { createKafkaClient } from '../../src/adapters/kafka/client.ts'
import { createKnownTopics, withAdmin } from '../../src/adapters/kafka/admin/topics.ts'
import type { Log } from '../../src/ports.ts'
import { until as waitUntil } from './until.ts'
import { patchFetch } from '../../dev/harness/patch-fetch.ts'

export interface ReadRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: IHeaders
}

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} }
const READ_TIMEOUT_MS = 30_000
const UNTIL_TIMEOUT_MS = 60_000

/** A unique name for topics, groups and subjects. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`
}

/** Connects to the shared stack by default. */
export function connectTo(brokers: readonly string[] = inject('brokers')): Kafka {
  return createKafkaClient({ brokers, clientId: 'test', tls: null, sasl: null }, silent).kafka
}

export async function connectedAdmin(kafka: Kafka = connectTo()): Promise<Admin> {
  const admin = kafka.admin()
  onTestFinished(async () => admin.disconnect())
  await admin.connect()
  return admin
}

export async function connectedProducer(kafka: Kafka = connectTo()): Promise<Producer> {
  const producer = kafka.producer()
  onTestFinished(async () => producer.disconnect())
  await producer.connect()
  return producer
}

const HAS_SUCCEEDED = [() => true, () => false] as const

/**
 * Uses the broker's default of 8 partitions unless given. Resolves when the leaders accept records: the metadata names
 * them earlier.
 */
export async function createTopics(
  topics: readonly ITopicConfig[],
  kafka: Kafka = connectTo(),
): Promise<void> {
  await withAdmin(kafka, async (admin) => {
    await createKnownTopics(admin, topics)
    for (const { topic } of topics) {
      const isLed = () => admin.fetchTopicOffsets(topic).then(...HAS_SUCCEEDED)
      await waitUntil(isLed, { what: () => `${topic} has no leaders`, timeoutMs: 10_000 })
    }
  })
}

/** Settings that are not named return to the broker's defaults. */
export async function alterTopic(
  topic: string,
  settings: Readonly<Record<string, string>>,
  kafka: Kafka = connectTo(),
): Promise<void> {
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
  const resources = [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries }]
  await withAdmin(kafka, (admin) => admin.alterConfigs({ validateOnly: false, resources }))
}

/** Resolves when the broker has acknowledged them. */
export async function produce(topic: string, messages: Message[], kafka: Kafka = connectTo()): Promise<void> {
  const producer = await connectedProducer(kafka)
  await producer.send({ topic, messages })
}

export interface Outputs {
  /** In the order in which they were read. Grows while reading. */
  readonly records: readonly ReadRecord[]
  /** Resolves when this is true for the records read so far. Rejects if that takes too long. */
  until(enough: () => boolean): Promise<void>
  close(): Promise<void>
}

export interface WatchOptions {
  /** Called for each record, once, in order within its partition. */
  readonly onRecord?: (record: ReadRecord) => void
  /** Whether a record stays in memory. Default: all do. */
  readonly keep?: (record: ReadRecord) => boolean
  /** The limit of `until`. */
  readonly timeoutMs?: number
}

/** Reads the topics as read_committed from their beginning until closed, and continues when brokers fail. */
export async function watchCommitted(
  kafka: Kafka,
  topics: readonly string[],
  { onRecord, keep = () => true, timeoutMs = UNTIL_TIMEOUT_MS }: WatchOptions = {},
): Promise<Outputs> {
  const records: ReadRecord[] = []
  const waiting = new Set<() => void>()
  // kafkajs starts from the beginning after a long outage of the brokers, so skip records that were read before.
  const readUpTo = new Map<string, bigint>()
  const receive = ({ topic, partition, messages }: Batch): void => {
    for (const { offset, timestamp, key, value, headers = {} } of messages) {
      const record = {
        topic,
        partition,
        offset: BigInt(offset),
        timestampMs: Number(timestamp),
        key,
        value,
        headers,
      }
      if (record.offset <= (readUpTo.get(`${topic}:${partition}`) ?? -1n)) continue
      readUpTo.set(`${topic}:${partition}`, record.offset)
      onRecord?.(record)
      if (keep(record)) records.push(record)
    }
    for (const look of waiting) look()
  }
  const watcher: { consumer: Consumer | null } = { consumer: null }
  const start = async (): Promise<void> => {
    watcher.consumer = await startConsumer(kafka, { topics, receive, onEnd: restart })
  }
  const restart = async (): Promise<void> => {
    if (watcher.consumer !== null) await start()
  }
  await start()
  return {
    records,
    until: (enough) =>
      untilTrue(enough, waiting, {
        what: () => `Only ${records.length} records were read from ${topics.join(', ')} in ${timeoutMs} ms.`,
        timeoutMs,
      }),
    close: async () => {
      const { consumer } = watcher
      watcher.consumer = null
      await consumer?.disconnect()
    },
  }
}

type Batch = EachBatchPayload['batch']

interface Watching {
  readonly topics: readonly string[]
  readonly receive: (batch: Batch) => void
  /** Called when the kafkajs consumer ends, which it may do after a failure. */
  readonly onEnd: () => Promise<void>
}

async function startConsumer(kafka: Kafka, { topics, receive, onEnd }: Watching): Promise<Consumer> {
  patchFetch()
  const consumer = kafka.consumer({
    groupId: uniqueName('watcher'),
    readUncommitted: false,
    maxWaitTimeInMs: 50,
    // Notices new partitions.
    metadataMaxAge: 5_000,
    // Reconnects quickly after an outage of the brokers.
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 1_000 },
  })
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) void onEnd()
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [...topics], fromBeginning: true })
  await consumer.run({ autoCommit: false, eachBatch: async ({ batch }) => receive(batch) })
  return consumer
}

function untilTrue(
  enough: () => boolean,
  waiting: Set<() => void>,
  { what, timeoutMs }: { readonly what: () => string; readonly timeoutMs: number },
): Promise<void> {
  if (enough()) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (enough()) done(resolve)
    }
    const done = (end: () => void): void => {
      clearTimeout(tooLong)
      waiting.delete(look)
      end()
    }
    const tooLong = setTimeout(() => done(() => reject(new Error(what()))), timeoutMs)
    waiting.add(look)
  })
}

export interface ReadUntil {
  /** Stops at this number of records, or when this returns true for all records read so far. */
  readonly until: number | ((records: readonly ReadRecord[]) => boolean)
  readonly kafka?: Kafka
  readonly timeoutMs?: number
}

/**
 * Reads the topics from their start as a read_committed consumer. Throws if `until` is not reached in time. Reads
 * nothing if `until` is 0.
 */
export async function readCommitted(
  topics: readonly string[],
  { until: wanted, kafka = connectTo(), timeoutMs = READ_TIMEOUT_MS }: ReadUntil,
): Promise<readonly ReadRecord[]> {
  const isEnough = typeof wanted === 'number' ? (all: readonly ReadRecord[]) => all.length >= wanted : wanted
  if (isEnough([])) return []
  const watch = await watchCommitted(kafka, topics, { timeoutMs })
  onTestFinished(async () => watch.close())
  await watch.until(() => isEnough(watch.records))
  await watch.close()
  return watch.records
}
