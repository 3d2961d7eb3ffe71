/** Creates record batches in the form in which a broker returns them. */
import { BATCH, CODEC_IDS } from '../../src/adapters/kafka/batch-format.ts'
import { compress, type Compression } from '../../src/adapters/kafka/fetch/compression.ts'
import { crc32c } from '../../src/adapters/kafka/crc32c.ts'
import { encodeBatch, type BatchOptions } from '../../src/adapters/kafka/sinks/encode-batch.ts'
import type { DecodeOptions } from '../../src/adapters/kafka/fetch/decode-records.ts'
import type { OutputRecord } from '../../src/ports.ts'

export type BatchRecord = Pick<OutputRecord, 'key' | 'value' | 'headers'>

export const BATCH_AT_MS = Date.UTC(2026, 0, 1)

export function textRecord(value: string): BatchRecord {
  return { key: null, value: Buffer.from(value), headers: [] }
}

/** The batch as stored by the broker, with offsets. */
export async function storedBatch(
  baseOffset: bigint,
  records: readonly BatchRecord[],
  options: Partial<BatchOptions> & { readonly control?: true } = {},
): Promise<Buffer> {
  const { control, ...rest } = options
  const bytes = await encodeBatch(records, {
    transaction: null,
    timestampMs: BATCH_AT_MS,
    codec: 'none',
    ...rest,
  })
  bytes.writeBigInt64BE(baseOffset, BATCH.baseOffset)
  if (control === true) bytes.writeInt16BE(0x30, BATCH.attributes)
  return bytes
}

export function decodeOptions(changes: Partial<DecodeOptions> = {}): DecodeOptions {
  return {
    topic: 'in',
    partition: 3,
    from: 0n,
    aborted: [],
    maxRecords: Infinity,
    maxBytes: Infinity,
    log: { warn: () => undefined },
    ...changes,
  }
}

const MEGABYTE = 1024 * 1024

/**
 * A compressed batch with one record of the given number of megabytes of blanks, generated without holding them in
 * memory.
 */
export async function blanksBatch(codec: Compression, megabytes: number): Promise<Buffer> {
  // The current time, because a broker deletes records older than its retention time.
  const head = await storedBatch(0n, [{ key: null, value: Buffer.alloc(0), headers: [] }], {
    timestampMs: Date.now(),
  })
  const value = varint(megabytes * MEGABYTE)
  // Attributes, timestamp and offset deltas, no key. No headers after the value.
  const body = Buffer.concat([Buffer.from([0, 0, 0, 1]), value])
  const start = Buffer.concat([varint(body.length + megabytes * MEGABYTE + 1), body])
  const blanks = await compress(codec, Buffer.alloc(MEGABYTE, ' '))
  const parts = [
    await compress(codec, start),
    ...Array.from({ length: megabytes }, () => blanks),
    await compress(codec, Buffer.from([0])),
  ]
  const bytes = Buffer.concat([head.subarray(0, BATCH.records), joined(codec, parts)])
  bytes.writeInt32BE(bytes.length - BATCH.leaderEpoch, BATCH.length)
  bytes.writeInt16BE(CODEC_IDS[codec], BATCH.attributes)
  bytes.writeUInt32BE(crc32c(bytes, BATCH.attributes, bytes.length), BATCH.crc)
  return bytes
}

/** Joins separately compressed parts into one stream. Snappy and LZ4 have a header, and LZ4 has an end mark. */
function joined(codec: Compression, parts: readonly Buffer[]): Buffer {
  // The header of a small LZ4 frame announces small blocks.
  const head = parts.reduce((left, right) => (right.length > left.length ? right : left))
  const [headBytes, endBytes] = codec === 'snappy' ? [16, 0] : codec === 'lz4' ? [7, 4] : [0, 0]
  const inner = parts.map((part) => part.subarray(headBytes, part.length - endBytes))
  return Buffer.concat([head.subarray(0, headBytes), ...inner, Buffer.alloc(endBytes)])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value * 2
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80)
  return Buffer.from([...bytes, rest])
}
