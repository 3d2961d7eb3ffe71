/**
 * Reads the records (magic 2) of a batch that is too large to decompress as a whole: chunk by chunk, so that memory
 * holds at most one record besides those already returned. Oversized parts of a record are hashed in passing and
 * left out.
 */
import { createHash } from 'node:crypto'
import { NO_HEADERS } from '../../../core/records/headers.ts'
import type { LeftOut } from '../../../core/dead-letters/left-out.ts'
import type { InputRecord } from '../../../ports.ts'
import {
  CorruptRecord,
  createRecord,
  MAX_HEADERS_BYTES,
  MAX_KEY_BYTES,
  MAX_VALUE_BYTES,
  RecordReader,
  type BatchContext,
} from './record-reader.ts'

/** Upper limit for all variable-length numbers in a record's head together. */
const HEAD_BYTES = 32

/** Called for a record with a part that may be too large. */
export type OnLargeRecord = (offset: bigint, bytes: number) => void

export class RecordStream {
  readonly #chunks: AsyncGenerator<Buffer>
  readonly #reader = new RecordReader(Buffer.alloc(0))
  readonly #context: BatchContext
  readonly #onLarge: OnLargeRecord

  constructor(chunks: AsyncGenerator<Buffer>, context: BatchContext, onLarge: OnLargeRecord) {
    this.#chunks = chunks
    this.#context = context
    this.#onLarge = onLarge
  }

  /** Size of the next record. */
  async nextBytes(): Promise<number> {
    await this.#fill(HEAD_BYTES)
    const start = this.#reader.at
    const length = this.#reader.varint()
    const bytes = this.#reader.at - start + length
    this.#reader.at = start
    if (length < 0) throw new CorruptRecord()
    return bytes
  }

  /** The next record. Null if it is before the requested offset. */
  async next(): Promise<InputRecord | null> {
    const bytes = await this.nextBytes()
    const reader = this.#reader
    const start = reader.at
    reader.varint()
    const head = reader.head()
    if (head.offsetDelta < this.#context.minOffsetDelta) {
      reader.begin(head, this.#context)
      await this.#pass(start + bytes - reader.at)
      return null
    }
    if (bytes > MAX_VALUE_BYTES) return this.#nextLarge(head, start + bytes - reader.at)
    reader.at = start
    await this.#need(bytes)
    return reader.record(this.#context)
  }

  async close(): Promise<void> {
    await this.#chunks.return(undefined)
  }

  async #nextLarge(head: ReturnType<RecordReader['head']>, bytes: number): Promise<InputRecord> {
    this.#reader.begin(head, this.#context)
    this.#onLarge(this.#context.baseOffset + BigInt(head.offsetDelta), bytes)
    const leftOut: LeftOut[] = []
    let rest = bytes
    const field = async (name: LeftOut['field'], maxBytes: number): Promise<Buffer | null> => {
      await this.#fill(HEAD_BYTES)
      const start = this.#reader.at
      const length = this.#reader.varint()
      rest -= this.#reader.at - start + Math.max(length, 0)
      if (rest < 0) throw new CorruptRecord()
      return length < 0 ? null : this.#part(name, length, { maxBytes, leftOut })
    }
    const key = await field('key', MAX_KEY_BYTES)
    const value = await field('value', MAX_VALUE_BYTES)
    const encoded = await this.#part('headers', rest, { maxBytes: MAX_HEADERS_BYTES, leftOut })
    const headers = encoded === null ? NO_HEADERS : new RecordReader(encoded).headers(encoded.length)
    if (encoded !== null && headers === null) leftOut.push(described('headers', encoded))
    return createRecord(this.#context, head, { key, value, headers: headers ?? NO_HEADERS, leftOut })
  }

  /** Null if it is too large. Then `leftOut` describes it. */
  async #part(
    field: LeftOut['field'],
    bytes: number,
    { maxBytes, leftOut }: { maxBytes: number; leftOut: LeftOut[] },
  ): Promise<Buffer | null> {
    if (bytes > maxBytes) {
      const hash = createHash('sha256')
      await this.#pass(bytes, (chunk) => void hash.update(chunk))
      leftOut.push({ field, bytes, sha256: hash.digest('hex') })
      return null
    }
    await this.#need(bytes)
    const start = this.#reader.at
    this.#reader.at += bytes
    return this.#reader.bytes.subarray(start, this.#reader.at)
  }

  async #need(bytes: number): Promise<void> {
    await this.#fill(bytes)
    if (this.#reader.bytes.length - this.#reader.at < bytes) throw new CorruptRecord()
  }

  /** Ensures that this many bytes can be read, or all remaining ones. */
  async #fill(bytes: number): Promise<void> {
    const rest = this.#reader.bytes.subarray(this.#reader.at)
    if (rest.length >= bytes) return
    const parts = [rest]
    let available = rest.length
    while (available < bytes) {
      const { done, value } = await this.#chunks.next()
      if (done === true) break
      // Copied, because the chunk is overwritten by the next one.
      parts.push(Buffer.from(value))
      available += value.length
    }
    this.#reader.bytes = Buffer.concat(parts, available)
    this.#reader.at = 0
  }

  async #pass(bytes: number, onChunk: (chunk: Buffer) => void = () => undefined): Promise<void> {
    const reader = this.#reader
    let rest = bytes
    let borrowed = false
    for (;;) {
      const count = Math.min(rest, reader.bytes.length - reader.at)
      onChunk(reader.bytes.subarray(reader.at, reader.at + count))
      reader.at += count
      rest -= count
      if (rest === 0) break
      const { done, value } = await this.#chunks.next()
      if (done === true) throw new CorruptRecord()
      reader.bytes = value
      reader.at = 0
      borrowed = true
    }
    // The chunk is overwritten by the next one.
    if (borrowed) {
      reader.bytes = Buffer.from(reader.bytes.subarray(reader.at))
      reader.at = 0
    }
  }
}

function described(field: LeftOut['field'], bytes: Buffer): LeftOut {
  return { field, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}
