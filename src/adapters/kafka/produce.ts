/**
 * Produce requests with our own batches ({@link encodeBatch}), on kafkajs's broker objects. Each request has one
 * batch, because a request to several partitions may fail in part.
 */
import type { OutputRecord } from '../../ports.ts'
import type { Codec } from '../../core/compression.ts'
import { batches, type BatchLimits } from './batches.ts'
import { send } from './broker-requests.ts'
import { encodeBatch } from './encode-batch.ts'
import { errorType, UnencodableError } from './errors.ts'
import { API_KEYS, PRODUCE_RESPONSES, type Broker, type Transaction } from './kafkajs/internals.ts'

/** How outputs are packed into batches. */
export interface Packing {
  /** Codec of batches without large records. Large records are always compressed. */
  readonly compression: Codec
  /** `max.message.bytes` of a topic, or the broker's default if unknown. */
  readonly maxMessageBytes: (topic: string) => number
}

export interface Batch {
  /** All for one topic-partition. */
  readonly records: readonly OutputRecord[]
  readonly codec: Codec
}

export interface ProduceOptions {
  /** Null for a producer without transactions. */
  readonly transaction: (Transaction & { readonly firstSequence: number }) | null
  /** Milliseconds since the epoch. */
  readonly timestampMs: number
}

const MAX_VERSION = 7
const ALL_REPLICAS = -1
const TIMEOUT_MS = 30_000

/** Splits the outputs for one topic-partition into batches that it accepts. */
export function* packed(records: readonly OutputRecord[], packing: Packing): Generator<Batch> {
  const [first] = records
  if (first === undefined) return
  const limits: BatchLimits = { maxMessageBytes: packing.maxMessageBytes(first.topic) }
  try {
    for (const { records: some, large } of batches(records, limits)) {
      yield { records: some, codec: large ? 'gzip' : packing.compression }
    }
  } catch (error) {
    throw unencodable(error)
  }
}

/** Rejects with the broker's error. */
export async function produce(leader: Broker, batch: Batch, options: ProduceOptions): Promise<void> {
  const [first] = batch.records
  if (first === undefined) return
  const { transaction, timestampMs } = options
  const encoded = await encodeBatch(batch.records, {
    transaction: transaction === null ? null : { ...transaction, producerId: BigInt(transaction.producerId) },
    timestampMs,
    codec: batch.codec,
  }).catch((error: unknown) => {
    throw unencodable(error)
  })
  const payload = encodeRequest(first, transaction?.transactionalId ?? null, encoded)
  const known = leader.versions?.[API_KEYS.Produce]?.maxVersion ?? MAX_VERSION
  const apiVersion = Math.min(known, MAX_VERSION)
  const response = PRODUCE_RESPONSES.get(apiVersion)
  if (response === undefined)
    throw new Error(`The broker does not support record batches (Produce ${apiVersion}).`)
  const exchange = {
    request: {
      apiKey: API_KEYS.Produce,
      apiVersion,
      apiName: 'Produce',
      // kafkajs's connection reads only these two members of an encoder.
      encode: () => Promise.resolve({ buf: payload, buffer: payload }),
    },
    response,
  }
  try {
    await send(leader, exchange)
  } catch (error) {
    // The first time the batch may have been damaged in transit, the second time it is our fault.
    if (errorType(error) !== 'CORRUPT_MESSAGE') throw error
    await send(leader, exchange)
  }
}

function unencodable(error: unknown): UnencodableError {
  return new UnencodableError('A record cannot be encoded.', { cause: error })
}

/** All versions with record batches up to ours have the same encoding. */
function encodeRequest(
  { topic, partition }: Pick<OutputRecord, 'topic' | 'partition'>,
  transactionalId: string | null,
  batch: Buffer,
): Buffer {
  const idBytes = transactionalId === null ? 0 : Buffer.byteLength(transactionalId)
  const topicBytes = Buffer.byteLength(topic)
  const bytes = Buffer.allocUnsafe(2 + idBytes + 2 + 4 + 4 + 2 + topicBytes + 4 + 4 + 4 + batch.length)
  let at = bytes.writeInt16BE(transactionalId === null ? -1 : idBytes, 0)
  at += bytes.write(transactionalId ?? '', at)
  at = bytes.writeInt16BE(ALL_REPLICAS, at)
  at = bytes.writeInt32BE(TIMEOUT_MS, at)
  at = bytes.writeInt32BE(1, at)
  at = bytes.writeInt16BE(topicBytes, at)
  at += bytes.write(topic, at)
  at = bytes.writeInt32BE(1, at)
  at = bytes.writeInt32BE(partition, at)
  at = bytes.writeInt32BE(batch.length, at)
  bytes.set(batch, at)
  return bytes
}
