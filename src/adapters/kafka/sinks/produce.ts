/**
 * Produce requests with our own batches ({@link encodeBatch}), on kafkajs's broker objects. A request has one batch for each
 * topic-partition, and each batch is accepted or rejected by itself.
 */
import { partitionKey, type TopicPartition } from '../../../core/partitions/topic-partition.ts'
import type { OutputRecord } from '../../../ports.ts'
import type { Codec } from '../../../core/compression.ts'
import { batches, type BatchLimits } from './batches.ts'
import { send } from '../broker-requests.ts'
import { encodeBatch } from './encode-batch.ts'
import { errorType, UnencodableError } from '../errors.ts'
import {
  API_KEYS,
  createErrorFromCode,
  PRODUCE_RESPONSES,
  type Broker,
  type Transaction,
} from '../kafkajs/internals.ts'

/** How outputs are packed into batches. */
export interface Packing {
  /** Codec of batches without large records. Large records are always compressed. */
  readonly compression: Codec
  /** `max.message.bytes` of a topic, or the broker's default if unknown. */
  readonly maxMessageBytes: (topic: string) => number
}

export interface Batch extends TopicPartition {
  /** All for this topic-partition. */
  readonly records: readonly OutputRecord[]
  readonly codec: Codec
}

export interface ProduceRequest {
  /** Null for a producer without transactions. */
  readonly transaction: Transaction | null
  /** Milliseconds since the epoch. */
  readonly timestampMs: number
  /** At most one for each topic-partition, with the sequence number of its first record (0 without a transaction). */
  readonly batches: readonly (Batch & { readonly firstSequence: number })[]
}

interface EncodedBatch extends TopicPartition {
  readonly bytes: Buffer
}

const MAX_VERSION = 7
const ALL_REPLICAS = -1
const TIMEOUT_MS = 30_000

/** Splits the outputs for one topic-partition into batches that it accepts. */
export function packed(records: readonly OutputRecord[], packing: Packing): Batch[] {
  const [first] = records
  if (first === undefined) return []
  const { topic, partition } = first
  const limits: BatchLimits = { maxMessageBytes: packing.maxMessageBytes(topic) }
  try {
    return [...batches(records, limits)].map(({ records: some, large }) => ({
      topic,
      partition,
      records: some,
      codec: large ? 'gzip' : packing.compression,
    }))
  } catch (error) {
    throw unencodable(error)
  }
}

/**
 * Resolves to the broker's error for each batch in order, null if it was accepted. Rejects if the request failed as a
 * whole, with an {@link UnencodableError} before anything was sent.
 */
export async function produce(leader: Broker, request: ProduceRequest): Promise<readonly (Error | null)[]> {
  const encoded = await Promise.all(request.batches.map((batch) => encode(batch, request)))
  const transactionalId = request.transaction?.transactionalId ?? null
  const errors = await sendBatches(leader, transactionalId, encoded)
  // The first time a batch may have been damaged in transit, the second time it is our fault.
  const damaged = encoded.filter((batch) => isDamaged(errors.get(partitionKey(batch))))
  if (damaged.length > 0) {
    for (const batch of damaged) errors.delete(partitionKey(batch))
    const again = await sendBatches(leader, transactionalId, damaged)
    for (const [key, error] of again) errors.set(key, error)
  }
  return encoded.map((batch) => errors.get(partitionKey(batch)) ?? null)
}

async function encode(
  { topic, partition, records, codec, firstSequence }: ProduceRequest['batches'][number],
  { transaction, timestampMs }: ProduceRequest,
): Promise<EncodedBatch> {
  try {
    const bytes = await encodeBatch(records, {
      transaction:
        transaction === null
          ? null
          : { ...transaction, producerId: BigInt(transaction.producerId), firstSequence },
      timestampMs,
      codec,
    })
    return { topic, partition, bytes }
  } catch (error) {
    throw unencodable(error)
  }
}

/** Resolves to the errors of the batches that were rejected, by topic-partition. */
async function sendBatches(
  leader: Broker,
  transactionalId: string | null,
  encoded: readonly EncodedBatch[],
): Promise<Map<string, Error>> {
  const known = leader.versions?.[API_KEYS.Produce]?.maxVersion ?? MAX_VERSION
  const apiVersion = Math.min(known, MAX_VERSION)
  const response = PRODUCE_RESPONSES.get(apiVersion)
  if (response === undefined)
    throw new Error(`The broker does not support record batches (Produce ${apiVersion}).`)
  const payload = encodeRequest(transactionalId, encoded)
  const { topics } = (await send(leader, {
    request: {
      apiKey: API_KEYS.Produce,
      apiVersion,
      apiName: 'Produce',
      // kafkajs's connection reads only these two members of an encoder.
      encode: () => Promise.resolve({ buf: payload, buffer: payload }),
    },
    // kafkajs's own parser rejects the whole response if one batch was rejected.
    response: { decode: (bytes) => response.decode(bytes), parse: (decoded) => decoded },
  })) as ProduceAnswer
  return new Map(
    topics.flatMap(({ topicName: topic, partitions }) =>
      partitions
        .filter(({ errorCode }) => errorCode !== 0)
        .map(({ partition, errorCode }) => [
          partitionKey({ topic, partition }),
          createErrorFromCode(errorCode),
        ]),
    ),
  )
}

interface ProduceAnswer {
  readonly topics: readonly {
    readonly topicName: string
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number }[]
  }[]
}

function isDamaged(error: Error | undefined): boolean {
  return error !== undefined && errorType(error) === 'CORRUPT_MESSAGE'
}

function unencodable(error: unknown): UnencodableError {
  return new UnencodableError('A record cannot be encoded.', { cause: error })
}

/** All versions with record batches up to ours have the same encoding. */
function encodeRequest(transactionalId: string | null, encoded: readonly EncodedBatch[]): Buffer {
  const byTopic = Map.groupBy(encoded, ({ topic }) => topic)
  const parts = [text(transactionalId), int16(ALL_REPLICAS), int32(TIMEOUT_MS), int32(byTopic.size)]
  for (const [topic, all] of byTopic) {
    parts.push(text(topic), int32(all.length))
    for (const { partition, bytes } of all) parts.push(int32(partition), int32(bytes.length), bytes)
  }
  return Buffer.concat(parts)
}

function text(value: string | null): Buffer {
  const bytes = Buffer.from(value ?? '')
  return Buffer.concat([int16(value === null ? -1 : bytes.length), bytes])
}

function int16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value)
  return bytes
}
