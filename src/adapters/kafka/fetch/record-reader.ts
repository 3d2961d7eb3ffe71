/** Reads records (magic 2) from memory. Every length is checked, and an invalid one throws. */
import { createHash } from 'node:crypto'
import { NO_HEADERS, type Header, type Headers } from '../../../core/records/headers.ts'
import type { LeftOut } from '../../../core/dead-letters/left-out.ts'
import type { InputRecord } from '../../../ports.ts'

/** A larger value is left out of the record, to protect the service's memory. */
export const MAX_VALUE_BYTES = 8 * 1024 * 1024
export const MAX_KEY_BYTES = 1024 * 1024
export const MAX_HEADERS_BYTES = 1024 * 1024
const MAX_HEADERS = 10_000

/** The values of the batch that its records need. */
export interface BatchContext {
  readonly topic: string
  readonly partition: number
  readonly baseOffset: bigint
  /** Records with a smaller offset are skipped. */
  readonly minOffsetDelta: number
  /** Offset delta of the last record when the batch was written. */
  readonly maxOffsetDelta: number
  /** Number of records in the batch. */
  readonly count: number
  readonly baseTimestampMs: number
  /** Append time of the whole batch if the broker set it. Null if each record has its own timestamp. */
  readonly appendedAtMs: number | null
}

export interface RecordHead {
  readonly offsetDelta: number
  readonly timestampDelta: number
}

export class RecordReader {
  bytes: Buffer
  at: number
  #offsetDelta = -1
  #begun = 0

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes
    this.at = at
  }

  /** Null if the record is before the requested offset. */
  record(context: BatchContext): InputRecord | null {
    const length = this.varint()
    const end = this.at + length
    if (length < 0 || end > this.bytes.length) throw new CorruptRecord()
    const head = this.head()
    this.begin(head, context)
    if (head.offsetDelta < context.minOffsetDelta) {
      this.at = end
      return null
    }
    const key = this.field(end)
    const value = this.field(end)
    const headersAt = this.at
    const headers = this.headers(end)
    if (length <= MAX_KEY_BYTES && headers !== null)
      return createRecord(context, head, { key, value, headers })
    const leftOut: LeftOut[] = []
    return createRecord(context, head, {
      key: bounded('key', key, MAX_KEY_BYTES, leftOut),
      value: bounded('value', value, MAX_VALUE_BYTES, leftOut),
      headers: headers ?? noHeaders(this.bytes.subarray(headersAt, end), leftOut),
      leftOut,
    })
  }

  head(): RecordHead {
    this.at += 1 // attributes (unused)
    return { timestampDelta: this.varlong(), offsetDelta: this.varint() }
  }

  /**
   * Throws unless offsets increase and leave room for the remaining records of the batch. Brokers do not check this
   * in uncompressed batches, and trusting wrong offsets would skip records of this batch or the next one.
   */
  begin({ offsetDelta }: RecordHead, { maxOffsetDelta, count }: BatchContext): void {
    this.#begun += 1
    const isInOrder = offsetDelta > this.#offsetDelta && offsetDelta <= maxOffsetDelta - (count - this.#begun)
    if (!isInOrder) throw new CorruptRecord()
    this.#offsetDelta = offsetDelta
  }

  /** Reads headers up to `end`. Null if they are too large or too many to keep. */
  headers(end: number): Headers | null {
    const bytes = end - this.at
    const count = this.varint()
    if (count === 0 && this.at === end) return NO_HEADERS
    if (bytes > MAX_HEADERS_BYTES || count > MAX_HEADERS) {
      this.at = end
      return null
    }
    const headers: Header[] = []
    for (let index = 0; index < count; index += 1) {
      const name = this.field(end)
      if (name === null) throw new CorruptRecord()
      headers.push({ name: name.toString('latin1'), value: this.field(end) })
    }
    if (count < 0 || this.at !== end) throw new CorruptRecord()
    return headers
  }

  field(end: number): Buffer | null {
    const length = this.varint()
    if (length < 0) return null
    const start = this.at
    if (start + length > end) throw new CorruptRecord()
    this.at = start + length
    return this.bytes.subarray(start, this.at)
  }

  varint(): number {
    const { bytes } = this
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[this.at]
      if (byte === undefined) break
      this.at += 1
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
    }
    throw new CorruptRecord()
  }

  /** As a number: values beyond 53 bits lose their lowest digits. */
  varlong(): number {
    const { bytes } = this
    const first = bytes[this.at]
    if (first !== undefined && first < 0x80) {
      this.at += 1
      return (first >>> 1) ^ -(first & 1)
    }
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[this.at]
      if (byte === undefined) break
      this.at += 1
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return Number(BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n)))
    }
    throw new CorruptRecord()
  }
}

export class CorruptRecord extends Error {}

interface Fields {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Headers
  readonly leftOut?: readonly LeftOut[]
}

export function createRecord(context: BatchContext, head: RecordHead, fields: Fields): InputRecord {
  const record: InputRecord = {
    topic: context.topic,
    partition: context.partition,
    offset: context.baseOffset + BigInt(head.offsetDelta),
    timestampMs: context.appendedAtMs ?? context.baseTimestampMs + head.timestampDelta,
    key: fields.key,
    value: fields.value,
    headers: fields.headers,
  }
  const { leftOut = [] } = fields
  return leftOut.length === 0 ? record : { ...record, leftOut }
}

function bounded(
  field: LeftOut['field'],
  bytes: Buffer | null,
  maxBytes: number,
  leftOut: LeftOut[],
): Buffer | null {
  if (bytes === null || bytes.length <= maxBytes) return bytes
  leftOut.push({ field, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') })
  return null
}

function noHeaders(bytes: Buffer, leftOut: LeftOut[]): Headers {
  bounded('headers', bytes, 0, leftOut)
  return NO_HEADERS
}
