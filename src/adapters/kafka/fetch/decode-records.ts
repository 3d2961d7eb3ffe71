/**
 * Decodes the records of one partition from a Fetch response as a read-committed reader sees them: without aborted
 * transactions and control records. No stored data makes it throw or use more memory than its limits: oversized
 * parts of a record are left out and described, and unreadable data becomes a record that says so.
 */
import { headersMemory, NO_HEADERS } from '../../../core/records/headers.ts'
import type { InputRecord, Log } from '../../../ports.ts'
import { AbortedTransactions, type AbortedTransaction } from './aborted-transactions.ts'
import { BATCH, codecOf, CONTROL, LOG_APPEND_TIME, TRANSACTIONAL } from '../batch-format.ts'
import { decompressedChunks, decompressUpTo, type Compression } from './compression.ts'
import { decodeMessageSet } from './message-set.ts'
import { CorruptRecord, RecordReader, type BatchContext } from './record-reader.ts'
import { RecordStream } from './record-stream.ts'

export interface DecodeOptions {
  readonly topic: string
  readonly partition: number
  /** The requested offset. Brokers return whole batches, so records before it are skipped. */
  readonly from: bigint
  /** As listed in the response, in any order. */
  readonly aborted: readonly AbortedTransaction[]
  /** At least one record is returned if there is one. */
  readonly maxRecords: number
  /** Memory limit for keys, values and headers together. */
  readonly maxBytes: number
  /** Logs oversized records before they are decompressed, and unreadable batches. */
  readonly log: Pick<Log, 'warn'>
}

export interface DecodedRecords {
  /** Sorted by offset. */
  readonly records: readonly InputRecord[]
  /** The offset to read next. Equal to `from` if there is no complete batch at or above it. */
  readonly nextOffset: bigint
  /** True if a limit was reached: the same bytes contain more records, to be decoded from `nextOffset`. */
  readonly more: boolean
}

const BATCH_MAGIC = 2
const MIN_MESSAGE_BYTES = 26
const NO_TIMESTAMP = -1
/** Smaller batches are decompressed at once, larger ones record by record. */
const MAX_BYTES_AT_ONCE = 1024 * 1024
/** Type of the control record that ends an aborted transaction. */
const ABORT = 0

/** The batch being decoded in pieces, so that it is not decompressed again for each piece. */
const lastDecompressed = new WeakMap<Buffer, { readonly at: number; readonly plain: Buffer | null }>()

export async function decodeRecords(bytes: Buffer, options: DecodeOptions): Promise<DecodedRecords> {
  const decoding = new Decoding(bytes, options)
  await decoding.decode()
  const { records, nextOffset, more } = decoding
  return { records, nextOffset, more }
}

interface BatchHeader extends BatchContext {
  readonly lastOffset: bigint
  readonly maxTimestampMs: number
  readonly attributes: number
  readonly producerId: bigint
}

class Decoding {
  readonly records: InputRecord[] = []
  nextOffset: bigint
  more = false
  readonly #answer: Buffer
  readonly #options: DecodeOptions
  readonly #aborted: AbortedTransactions
  #bytes = 0

  constructor(answer: Buffer, options: DecodeOptions) {
    this.#answer = answer
    this.#options = options
    this.#aborted = new AbortedTransactions(options.aborted)
    this.nextOffset = options.from
  }

  async decode(): Promise<void> {
    const bytes = this.#answer
    let at = 0
    while (at + MIN_MESSAGE_BYTES <= bytes.length && !this.more) {
      const end = at + BATCH.leaderEpoch + bytes.readInt32BE(at + BATCH.length)
      const magic = bytes.readInt8(at + BATCH.magic)
      const minBytes = magic === BATCH_MAGIC ? BATCH.records : MIN_MESSAGE_BYTES
      if (end - at < minBytes || magic < 0 || magic > BATCH_MAGIC) {
        this.#addUnreadable({ lastOffset: this.nextOffset, timestampMs: NO_TIMESTAMP })
        return
      }
      // The broker truncates the last batch if the response is full.
      if (end > bytes.length) return
      const one = bytes.subarray(at, end)
      await (magic === BATCH_MAGIC ? this.#batch(one) : this.#messages(one))
      at = end
    }
  }

  /** Control batches matter even before the requested offset, because they end transactions. */
  #batch(bytes: Buffer): Promise<void> | undefined {
    const header = readHeader(bytes, this.#options, this.nextOffset)
    const { attributes, producerId, lastOffset } = header
    if (attributes & CONTROL) {
      if (isAbortMarker(bytes, header)) this.#aborted.end(producerId)
    } else if (!(attributes & TRANSACTIONAL && this.#aborted.includes(producerId, lastOffset))) {
      if (lastOffset >= this.nextOffset && header.count > 0) return this.#records(bytes, header)
    }
    this.#passed(lastOffset)
    return undefined
  }

  async #records(bytes: Buffer, header: BatchHeader): Promise<void> {
    if (this.#isFull(0)) return
    const { lastOffset, maxTimestampMs: timestampMs } = header
    try {
      const codec = codecOf(header.attributes)
      if (codec === null) throw new CorruptRecord()
      const content = bytes.subarray(BATCH.records)
      const plain = codec === 'none' ? content : this.#decompressed(codec, content)
      if (plain !== null) this.#readAll(plain, header)
      else if (codec !== 'none') await this.#readStream(decompressedChunks(codec, content), header)
    } catch {
      this.#addUnreadable({ lastOffset, timestampMs })
    }
    if (!this.more) this.#passed(lastOffset)
  }

  /** Null if it is too large to decompress at once, or damaged. */
  #decompressed(codec: Compression, content: Buffer): Buffer | null {
    const at = content.byteOffset
    const last = lastDecompressed.get(this.#answer)
    if (last?.at === at) return last.plain
    const plain = decompressUpTo(MAX_BYTES_AT_ONCE, codec, content)
    lastDecompressed.set(this.#answer, { at, plain })
    return plain
  }

  #readAll(plain: Buffer, header: BatchHeader): void {
    const reader = new RecordReader(plain)
    for (let index = 0; index < header.count && !this.more; index += 1) {
      const record = reader.record(header)
      if (record === null) continue
      for (const { bytes } of record.leftOut ?? []) this.#logLarge(record.offset, bytes)
      this.#add(record)
    }
  }

  async #readStream(chunks: AsyncGenerator<Buffer>, header: BatchHeader): Promise<void> {
    const stream = new RecordStream(chunks, header, (offset, bytes) => this.#logLarge(offset, bytes))
    try {
      for (let index = 0; index < header.count && !this.#isFull(await stream.nextBytes()); index += 1) {
        const record = await stream.next()
        if (record !== null) this.#add(record)
      }
    } finally {
      await stream.close()
    }
  }

  async #messages(bytes: Buffer): Promise<void> {
    const lastOffset = bytes.readBigInt64BE(BATCH.baseOffset)
    if (lastOffset < this.nextOffset || this.#isFull(0)) return
    const from = this.nextOffset
    try {
      for (const message of await decodeMessageSet(bytes, this.#options)) {
        if (message.offset >= from && !this.more) this.#add(message)
      }
    } catch {
      this.#addUnreadable({ lastOffset, timestampMs: NO_TIMESTAMP })
    }
    if (!this.more) this.#passed(lastOffset)
  }

  #add(record: InputRecord): void {
    const bytes = recordBytes(record)
    if (this.#isFull(bytes)) return
    this.records.push(record)
    this.#bytes += bytes
    this.nextOffset = record.offset + 1n
  }

  /** Whether a record with this many bytes exceeds the limits. */
  #isFull(bytes: number): boolean {
    const { maxRecords, maxBytes } = this.#options
    const { length } = this.records
    if (length > 0 && (length >= maxRecords || this.#bytes + bytes > maxBytes)) this.more = true
    return this.more
  }

  #passed(lastOffset: bigint): void {
    if (lastOffset >= this.nextOffset) this.nextOffset = lastOffset + 1n
  }

  #addUnreadable({ lastOffset, timestampMs }: { lastOffset: bigint; timestampMs: number }): void {
    const { topic, partition, log } = this.#options
    const unreadableFrom = this.nextOffset
    const offset = lastOffset > unreadableFrom ? lastOffset : unreadableFrom
    log.warn(
      'A stored batch is damaged and cannot be read. Its offsets become one dead letter. Check the disks of the broker that leads the partition.',
      { topic, partition, offset: `${unreadableFrom} to ${offset}` },
    )
    const empty = { key: null, value: null, headers: NO_HEADERS }
    this.records.push({ topic, partition, offset, timestampMs, ...empty, unreadableFrom })
    this.nextOffset = offset + 1n
  }

  #logLarge(offset: bigint, bytes: number): void {
    const { topic, partition, log } = this.#options
    log.warn(
      'A record is too large to keep in memory. It becomes a dead letter without the parts that are too large. Check its producer.',
      { topic, partition, offset: String(offset), detail: `${bytes.toLocaleString('en')} bytes` },
    )
  }
}

function readHeader(bytes: Buffer, { topic, partition }: DecodeOptions, from: bigint): BatchHeader {
  const baseOffset = bytes.readBigInt64BE(BATCH.baseOffset)
  const attributes = bytes.readInt16BE(BATCH.attributes)
  const maxTimestampMs = int64(bytes, BATCH.maxTimestamp)
  const maxOffsetDelta = bytes.readInt32BE(BATCH.lastOffsetDelta)
  return {
    topic,
    partition,
    baseOffset,
    minOffsetDelta: from > baseOffset ? Number(from - baseOffset) : 0,
    maxOffsetDelta,
    baseTimestampMs: int64(bytes, BATCH.baseTimestamp),
    appendedAtMs: attributes & LOG_APPEND_TIME ? maxTimestampMs : null,
    lastOffset: baseOffset + BigInt(maxOffsetDelta),
    maxTimestampMs,
    attributes,
    producerId: bytes.readBigInt64BE(BATCH.producerId),
    count: bytes.readInt32BE(BATCH.count),
  }
}

/** The key of a control record consists of a version and a type. */
function isAbortMarker(bytes: Buffer, header: BatchHeader): boolean {
  try {
    const marker = new RecordReader(bytes.subarray(BATCH.records)).record({ ...header, minOffsetDelta: 0 })
    return marker?.key?.readInt16BE(2) === ABORT
  } catch {
    return false
  }
}

/** As a number, which is exact for all valid times. */
function int64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)
}

function recordBytes({ key, value, headers }: InputRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + headersMemory(headers)
}
