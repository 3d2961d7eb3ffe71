/**
 * Encodes a record batch (magic 2, Kafka 0.11 and later) in one pass into one buffer, with the same bytes as
 * Kafka's Java client. All records of a batch have the same timestamp.
 */
import type { OutputRecord } from '../../../ports.ts'
import type { Codec } from '../../../core/compression.ts'
import { BATCH, CODEC_IDS, TRANSACTIONAL } from '../batch-format.ts'
import { compress } from '../fetch/compression.ts'
import { crc32c } from '../crc32c.ts'

export interface BatchOptions {
  /** Null for a producer without transactions. */
  readonly transaction: BatchTransaction | null
  /** Milliseconds since the epoch. */
  readonly timestampMs: number
  readonly codec: Codec
}

export interface BatchTransaction {
  readonly producerId: bigint
  readonly producerEpoch: number
  /** Sequence number of the batch's first record in its partition. */
  readonly firstSequence: number
}

type BatchRecord = Pick<OutputRecord, 'key' | 'value' | 'headers'>

/** Values of a batch without a producer id. */
const NO_TRANSACTION: BatchTransaction = { producerId: -1n, producerEpoch: -1, firstSequence: -1 }
const UNKNOWN_LEADER_EPOCH = -1
const NULL_LENGTH = -1

/** Leaves the batch uncompressed if compression does not make it smaller. */
export async function encodeBatch(records: readonly BatchRecord[], options: BatchOptions): Promise<Buffer> {
  const plain = layOut(records, options)
  if (options.codec !== 'none') {
    const compressed = await compress(options.codec, plain.subarray(BATCH.records))
    if (compressed.length < plain.length - BATCH.records) {
      return seal(Buffer.concat([plain.subarray(0, BATCH.records), compressed]), options)
    }
  }
  return seal(plain, { ...options, codec: 'none' })
}

/** Maximum size that a record adds to an uncompressed batch. */
export function recordBytes(record: BatchRecord): number {
  const bytes = bodyBytes(record, MAX_OFFSET_DELTA)
  return varintBytes(bytes) + bytes
}

const MAX_OFFSET_DELTA = 2 ** 30

function layOut(records: readonly BatchRecord[], { transaction, timestampMs }: BatchOptions): Buffer {
  const sizes = records.map(bodyBytes)
  const bytes = Buffer.allocUnsafe(
    sizes.reduce((total, size) => total + varintBytes(size) + size, BATCH.records),
  )
  const { producerId, producerEpoch, firstSequence } = transaction ?? NO_TRANSACTION
  bytes.writeBigInt64BE(0n, BATCH.baseOffset)
  bytes.writeInt32BE(UNKNOWN_LEADER_EPOCH, BATCH.leaderEpoch)
  bytes[BATCH.magic] = 2
  bytes.writeInt32BE(records.length - 1, BATCH.lastOffsetDelta)
  bytes.writeBigInt64BE(BigInt(timestampMs), BATCH.baseTimestamp)
  bytes.writeBigInt64BE(BigInt(timestampMs), BATCH.maxTimestamp)
  bytes.writeBigInt64BE(producerId, BATCH.producerId)
  bytes.writeInt16BE(producerEpoch, BATCH.producerEpoch)
  bytes.writeInt32BE(firstSequence, BATCH.baseSequence)
  bytes.writeInt32BE(records.length, BATCH.count)
  let at: number = BATCH.records
  for (const [index, record] of records.entries()) {
    at = writeRecord(bytes, at, record, { size: sizes[index] ?? 0, offsetDelta: index })
  }
  return bytes
}

/** Writes the fields that depend on the whole batch. */
function seal(bytes: Buffer, { codec, transaction }: BatchOptions): Buffer {
  bytes.writeInt32BE(bytes.length - BATCH.leaderEpoch, BATCH.length)
  bytes.writeInt16BE(CODEC_IDS[codec] | (transaction === null ? 0 : TRANSACTIONAL), BATCH.attributes)
  bytes.writeUInt32BE(crc32c(bytes, BATCH.attributes, bytes.length), BATCH.crc)
  return bytes
}

function writeRecord(
  bytes: Buffer,
  start: number,
  { key, value, headers }: BatchRecord,
  { size, offsetDelta }: { size: number; offsetDelta: number },
): number {
  let at = writeVarint(bytes, start, size)
  bytes[at++] = 0 // attributes
  bytes[at++] = 0 // timestamp delta
  at = writeVarint(bytes, at, offsetDelta)
  at = writeBytes(bytes, at, key)
  at = writeBytes(bytes, at, value)
  at = writeVarint(bytes, at, headers.length)
  for (const header of headers) {
    at = writeVarint(bytes, at, header.name.length)
    at += bytes.write(header.name, at, 'latin1')
    at = writeBytes(bytes, at, header.value)
  }
  return at
}

function writeBytes(bytes: Buffer, start: number, value: Buffer | null): number {
  if (value === null) return writeVarint(bytes, start, NULL_LENGTH)
  const at = writeVarint(bytes, start, value.length)
  bytes.set(value, at)
  return at + value.length
}

/** Zigzag encoding with seven bits per byte, lowest first. */
function writeVarint(bytes: Buffer, start: number, value: number): number {
  let at = start
  let rest = zigzag(value)
  for (; rest > 0x7f; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80
  bytes[at++] = rest
  return at
}

function bodyBytes({ key, value, headers }: BatchRecord, offsetDelta: number): number {
  let bytes = 2 + varintBytes(offsetDelta) + fieldBytes(key) + fieldBytes(value) + varintBytes(headers.length)
  for (const header of headers) {
    bytes += varintBytes(header.name.length) + header.name.length + fieldBytes(header.value)
  }
  return bytes
}

function fieldBytes(value: Buffer | null): number {
  return value === null ? varintBytes(NULL_LENGTH) : varintBytes(value.length) + value.length
}

function varintBytes(value: number): number {
  return Math.trunc((38 - Math.clz32(zigzag(value) | 1)) / 7)
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0
}
