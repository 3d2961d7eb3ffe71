/**
 * Reads and writes record batches (magic 2) by Kafka's documentation, without the service's own code, so that both do
 * not share a mistake. Headers are a list, so null values and repeated or odd names are kept.
 */
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { compressFrameSync, decompressFrameSync } from 'lz4-napi'
import snappyjs from 'snappyjs'
import { Reader, Writer, crc32c } from './bytes.ts'

/** The name has one character per byte (latin1), because any bytes may be a name. */
export type Header = readonly [name: string, value: Buffer | null]

/** The number of headers, then each name and value with its length. */
export function encodeHeaders(headers: readonly Header[]): Buffer {
  const writer = new Writer().varint(headers.length)
  for (const [name, value] of headers) writer.varBytes(Buffer.from(name, 'latin1')).varBytes(value)
  return writer.done()
}

export interface BatchRecord {
  readonly timestampMs: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly Header[]
}

export interface StoredRecord extends BatchRecord {
  readonly offset: bigint
}

/** In the order of their numbers in the attributes of a batch. */
export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof CODECS)[number]

export interface ProducerState {
  readonly id: bigint
  readonly epoch: number
  readonly sequence: number
}

export interface BatchOptions {
  readonly codec: Codec
  /** Null outside of transactions. */
  readonly transaction: ProducerState | null
}

const CRC_AT = 17
const BATCH_HEAD_BYTES = 12
const TRANSACTIONAL = 0x10
const CONTROL = 0x20

export function encodeBatch(records: readonly BatchRecord[], { codec, transaction }: BatchOptions): Buffer {
  const first = records[0]?.timestampMs ?? 0n
  const last = records.reduce((max, { timestampMs }) => (timestampMs > max ? timestampMs : max), first)
  const plain = new Writer()
  for (const [delta, record] of records.entries()) writeRecord(plain, record, delta, first)
  const body = new Writer()
    .int16(CODECS.indexOf(codec) | (transaction === null ? 0 : TRANSACTIONAL))
    .int32(records.length - 1)
    .int64(first)
    .int64(last)
    .int64(transaction?.id ?? -1n)
    .int16(transaction?.epoch ?? -1)
    .int32(transaction?.sequence ?? -1)
    .int32(records.length)
    .raw(compress(codec, plain.done()))
    .done()
  return new Writer()
    .int64(0n)
    .int32(body.length + CRC_AT - BATCH_HEAD_BYTES + 4)
    .int32(-1)
    .int8(2)
    .uint32(crc32c(body))
    .raw(body)
    .done()
}

function writeRecord(writer: Writer, record: BatchRecord, delta: number, firstMs: bigint): void {
  const body = new Writer()
    .int8(0)
    .varint(record.timestampMs - firstMs)
    .varint(delta)
    .varBytes(record.key)
    .varBytes(record.value)
    .raw(encodeHeaders(record.headers))
  const bytes = body.done()
  writer.varint(bytes.length).raw(bytes)
}

export interface StoredBatch {
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  readonly producerId: bigint
  readonly transactional: boolean
  /** For control batches: whether it marks a transaction as aborted. */
  readonly control: 'commit' | 'abort' | null
  readonly records: readonly StoredRecord[]
}

/** Ignores an incomplete batch at the end. */
export function decodeBatches(bytes: Buffer): StoredBatch[] {
  const batches: StoredBatch[] = []
  const reader = new Reader(bytes)
  while (reader.left >= BATCH_HEAD_BYTES) {
    const baseOffset = reader.int64()
    const length = reader.int32()
    if (reader.left < length) break
    batches.push(decodeBatch(baseOffset, new Reader(reader.raw(length))))
  }
  return batches
}

function decodeBatch(baseOffset: bigint, reader: Reader): StoredBatch {
  reader.int32()
  const magic = reader.int8()
  if (magic !== 2) throw new Error(`The broker answered with a batch of magic ${magic}.`)
  reader.int32()
  const attributes = reader.int16()
  const lastDelta = reader.int32()
  const first = reader.int64()
  reader.int64()
  const producerId = reader.int64()
  reader.int16()
  reader.int32()
  const count = reader.int32()
  const codec = CODECS[attributes & 7]
  if (codec === undefined) throw new Error(`The broker answered with codec ${attributes & 7}.`)
  const content = new Reader(decompress(codec, reader.raw(reader.left)))
  const records = Array.from({ length: count }, () => readRecord(content, baseOffset, first))
  const isControl = (attributes & CONTROL) !== 0
  return {
    baseOffset,
    lastOffset: baseOffset + BigInt(lastDelta),
    producerId,
    transactional: (attributes & TRANSACTIONAL) !== 0,
    control: isControl ? controlType(records[0]) : null,
    records: isControl ? [] : records,
  }
}

function readRecord(reader: Reader, baseOffset: bigint, firstMs: bigint): StoredRecord {
  reader.varint()
  reader.int8()
  const timestampMs = firstMs + reader.varint()
  const offset = baseOffset + reader.varint()
  const key = reader.varBytes()
  const value = reader.varBytes()
  const headers = Array.from({ length: Number(reader.varint()) }, (): Header => {
    const name = reader.varBytes() ?? Buffer.alloc(0)
    return [name.toString('latin1'), reader.varBytes()]
  })
  return { offset, timestampMs, key, value, headers }
}

/** The key of a control record: a version, then 0 for an abort or 1 for a commit. */
function controlType(record: StoredRecord | undefined): 'commit' | 'abort' {
  return record?.key?.readInt16BE(2) === 1 ? 'commit' : 'abort'
}

const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
const XERIAL_BLOCK_BYTES = 32 * 1_024

function compress(codec: Codec, bytes: Buffer): Buffer {
  switch (codec) {
    case 'none':
      return bytes
    case 'gzip':
      return gzipSync(bytes, { level: 1 })
    case 'snappy':
      return compressSnappy(bytes)
    case 'lz4':
      return compressFrameSync(bytes)
    case 'zstd':
      return zstdCompressSync(bytes)
  }
}

/** Java's framing of Snappy: a magic, two versions, then blocks preceded by their lengths. */
function compressSnappy(bytes: Buffer): Buffer {
  const writer = new Writer().raw(XERIAL)
  for (let at = 0; at < bytes.length; at += XERIAL_BLOCK_BYTES)
    writer.bytes(snappyjs.compress(bytes.subarray(at, at + XERIAL_BLOCK_BYTES)))
  return writer.done()
}

function decompress(codec: Codec, bytes: Buffer): Buffer {
  switch (codec) {
    case 'none':
      return bytes
    case 'gzip':
      return gunzipSync(bytes)
    case 'snappy':
      return decompressSnappy(bytes)
    case 'lz4':
      return decompressFrameSync(bytes)
    case 'zstd':
      return zstdDecompressSync(bytes)
  }
}

function decompressSnappy(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, 8).equals(XERIAL.subarray(0, 8))) return snappyjs.uncompress(bytes)
  const reader = new Reader(bytes.subarray(XERIAL.length))
  const blocks: Buffer[] = []
  while (reader.left > 0) blocks.push(snappyjs.uncompress(reader.raw(reader.int32())))
  return Buffer.concat(blocks)
}
