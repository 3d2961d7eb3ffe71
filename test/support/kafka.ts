/** Kafka helpers for tests: unique topics, records in and out. All clients are closed after the test. */
import { randomUUID } from 'node:crypto'
import kafkajs, {
  type Admin,
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
  const records: ReadRecord[] = []
  if (isEnough(records)) return records
  patchFetch()
  const consumer = kafka.consumer({ groupId: uniqueName('reader'), readUncommitted: false })
  onTestFinished(async () => consumer.disconnect())
  await consumer.connect()
  await consumer.subscribe({ topics: [...topics], fromBeginning: true })
  const enough = Promise.withResolvers<void>()
  const tooLong = setTimeout(() => {
    enough.reject(
      new Error(
        `${records.length} records were read from ${topics.join(', ')} in ${timeoutMs} ms, which is not enough.`,
      ),
    )
  }, timeoutMs)
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ topic, partition, message }) => {
      records.push({
        topic,
        partition,
        offset: BigInt(message.offset),
        timestampMs: Number(message.timestamp),
        key: message.key,
        value: message.value,
        headers: message.headers ?? {},
      })
      if (isEnough(records)) enough.resolve()
    },
  })
  try {
    await enough.promise
  } finally {
    clearTimeout(tooLong)
    await consumer.disconnect()
  }
  return records
}
