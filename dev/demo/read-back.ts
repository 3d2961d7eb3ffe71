/** Reads the outputs as a downstream service would: read_committed, from the start of the topics to their end. */
import type { EachMessagePayload, IHeaders, Kafka } from 'kafkajs'
import { schemaType } from '../../src/adapters/registry/schemas.ts'
import type { VerificationResult } from '../../src/core/records/schema-types.ts'
import { outcomeOf, type Outcome } from './outcome.ts'
import { patchFetch } from '../harness/patch-fetch.ts'

export interface Output {
  readonly outcome: Outcome
  /** The position of the event, from the output. */
  readonly source: { readonly topic: string; readonly partition: number; readonly offset: bigint }
  readonly timestampMs: number
  readonly value: Buffer | null
  readonly result: VerificationResult | null
}

export interface OutputTopics {
  readonly result: string
  readonly deadLetter: string
}

const SCHEMA_HEADER_BYTES = 5
const TIMEOUT_MS = 30_000
const type = schemaType('verification-result')

export async function readOutputs(kafka: Kafka, topics: OutputTopics): Promise<readonly Output[]> {
  const outputs: Output[] = []
  const unread = await endOffsets(kafka, [topics.result, topics.deadLetter])
  if (unread.size === 0) return outputs
  patchFetch()
  const consumer = kafka.consumer({ groupId: 'demo-reader', readUncommitted: false })
  const end = Promise.withResolvers<void>()
  // Also fires for batches that contain only transaction markers, and the last record of a partition is one.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    const { topic, partition, lastOffset } = payload
    const name = partitionName(topic, partition)
    if (BigInt(lastOffset) + 1n >= (unread.get(name) ?? 0n)) unread.delete(name)
    if (unread.size === 0) end.resolve()
  })
  consumer.on(consumer.events.CRASH, ({ payload }) => end.reject(payload.error))
  const tooLong = setTimeout(() => end.reject(new Error('The outputs could not be read back.')), TIMEOUT_MS)
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [topics.result, topics.deadLetter], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachMessage: async (payload) => void outputs.push(outputFrom(payload, topics)),
    })
    await end.promise
  } finally {
    clearTimeout(tooLong)
    await consumer.disconnect()
  }
  return outputs
}

/** Only of partitions that contain records. */
async function endOffsets(kafka: Kafka, topics: readonly string[]): Promise<Map<string, bigint>> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    const ends = new Map<string, bigint>()
    for (const topic of topics) {
      for (const { partition, high } of await admin.fetchTopicOffsets(topic)) {
        if (high !== '0') ends.set(partitionName(topic, partition), BigInt(high))
      }
    }
    return ends
  } finally {
    await admin.disconnect()
  }
}

function partitionName(topic: string, partition: number): string {
  return `${topic}:${partition}`
}

function outputFrom({ topic, message }: EachMessagePayload, topics: OutputTopics): Output {
  const { value, headers = {} } = message
  const timestampMs = Number(message.timestamp)
  if (topic === topics.deadLetter) {
    const outcome = { kind: 'dead-letter', reason: text(headers, 'checkresult-reason') } as const
    return { outcome, source: sourceIn(headers), timestampMs, value, result: null }
  }
  if (value === null) throw new Error('A result without a value was read back.')
  const result = type.fromBuffer(value.subarray(SCHEMA_HEADER_BYTES)) as VerificationResult
  const source = { ...result.source, offset: BigInt(result.source.offset) }
  return { outcome: outcomeOf(result), source, timestampMs, value, result }
}

function sourceIn(headers: IHeaders): Output['source'] {
  return {
    topic: text(headers, '__connect.errors.topic'),
    partition: Number(text(headers, '__connect.errors.partition')),
    offset: BigInt(text(headers, '__connect.errors.offset')),
  }
}

function text(headers: IHeaders, name: string): string {
  return String(headers[name] ?? '')
}
