/** Kafka as tests use it: topics of their own, records in, records out, everything closed when the test has finished. */
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
import { createKnownTopics, withAdmin } from '../../src/adapters/kafka/topics.ts'
import type { Log } from '../../src/ports.ts'
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

/** A name no other test uses, for topics, groups and subjects. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`
}

/** The run's own stack unless told otherwise. */
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

/** With the broker's default of 8 partitions unless told otherwise. Returns when they can be used. */
export async function createTopics(
  topics: readonly ITopicConfig[],
  kafka: Kafka = connectTo(),
): Promise<void> {
  await withAdmin(kafka, (admin) => createKnownTopics(admin, topics))
}

/** Settings that are not named go back to the broker's defaults. */
export async function alterTopic(
  topic: string,
  settings: Readonly<Record<string, string>>,
  kafka: Kafka = connectTo(),
): Promise<void> {
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
  const resources = [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries }]
  await withAdmin(kafka, (admin) => admin.alterConfigs({ validateOnly: false, resources }))
}

/** Returns when the broker has them. */
export async function produce(topic: string, messages: Message[], kafka: Kafka = connectTo()): Promise<void> {
  const producer = await connectedProducer(kafka)
  await producer.send({ topic, messages })
}

export interface ReadUntil {
  /** Stops at the given number of records, or when this says so of all read until then. */
  readonly until: number | ((records: readonly ReadRecord[]) => boolean)
  readonly kafka?: Kafka
  readonly timeoutMs?: number
}

/**
 * What a read_committed consumer gets from the start of the topics. Throws when that is not enough in time; `until` 0
 * reads nothing.
 */
export async function readCommitted(
  topics: readonly string[],
  { until, kafka = connectTo(), timeoutMs = READ_TIMEOUT_MS }: ReadUntil,
): Promise<readonly ReadRecord[]> {
  const isEnough = typeof until === 'number' ? (all: readonly ReadRecord[]) => all.length >= until : until
  const records: ReadRecord[] = []
  if (isEnough(records)) return records
  patchFetch()
  const consumer = kafka.consumer({ groupId: uniqueName('reader'), readUncommitted: false })
  onTestFinished(async () => consumer.disconnect())
  await consumer.connect()
  await consumer.subscribe({ topics: [...topics], fromBeginning: true })
  const enough = Promise.withResolvers<void>()
  const tooLong = setTimeout(() => {
    enough.reject(new Error(`${records.length} records came from ${topics.join(', ')} in ${timeoutMs} ms.`))
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
