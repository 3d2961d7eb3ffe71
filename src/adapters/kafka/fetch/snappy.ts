/**
 * Snappy as Kafka uses it: blocks in the framing of xerial's Java library, or one bare block. A bare block may
 * decompress to any size, so it is decompressed in pieces; the library can only decompress everything at once.
 */
import { compress } from 'snappyjs'
import { repeat } from './lz4.ts'

/** Magic, version 1, compatible with version 1. */
const XERIAL_HEADER = Buffer.from([130, 83, 78, 65, 80, 80, 89, 0, 0, 0, 0, 1, 0, 0, 0, 1])
const MAGIC_BYTES = 8
const XERIAL_BLOCK_BYTES = 32 * 1024

/** How far back a copy may refer in incremental decompression. Some Go clients write blocks of 4 MiB. */
const WINDOW_BYTES = 4 * 1024 * 1024
const MAX_COPY_BYTES = 64

export function compressSnappy(bytes: Buffer): Buffer {
  const parts: Buffer[] = [XERIAL_HEADER]
  for (let at = 0; at < bytes.length; at += XERIAL_BLOCK_BYTES) {
    const block = compress(bytes.subarray(at, at + XERIAL_BLOCK_BYTES))
    const size = Buffer.allocUnsafe(4)
    size.writeUInt32BE(block.length)
    parts.push(size, block)
  }
  return Buffer.concat(parts)
}

/** Each chunk is valid until the next one is requested. Throws if the data is corrupt or ends early. */
export function* snappyChunks(bytes: Buffer): Generator<Buffer> {
  const framed = bytes.subarray(0, MAGIC_BYTES).equals(XERIAL_HEADER.subarray(0, MAGIC_BYTES))
  if (!framed) {
    yield* new Block(bytes).chunks()
    return
  }
  let at = XERIAL_HEADER.length
  while (at < bytes.length) {
    const end = at + 4 + bytes.readUInt32BE(at)
    if (end > bytes.length) throw new Error('A Snappy block ends early.')
    yield* new Block(bytes.subarray(at + 4, end)).chunks()
    at = end
  }
}

class Block {
  readonly #bytes: Buffer
  readonly #out: Buffer
  readonly #size: number
  #at = 0
  #written = 0
  /** The part of `#out` that was returned or is kept only as a source of copies. */
  #handedOut = 0
  #total = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#size = this.#readSize()
    this.#out = Buffer.allocUnsafe(Math.min(this.#size, 2 * WINDOW_BYTES))
  }

  *chunks(): Generator<Buffer> {
    while (this.#at < this.#bytes.length) {
      const tag = this.#byte()
      if ((tag & 3) === 0) {
        let rest = this.#literalLength(tag)
        if (this.#at + rest > this.#bytes.length) throw corrupt()
        while (rest > 0) {
          if (this.#room() === 0) {
            yield this.#chunk()
            this.#makeRoom()
          }
          rest -= this.#copyLiteral(rest)
        }
      } else {
        if (this.#room() < MAX_COPY_BYTES && this.#total + this.#room() < this.#size) {
          yield this.#chunk()
          this.#makeRoom()
        }
        this.#copyBack(tag)
      }
    }
    if (this.#total !== this.#size) throw corrupt()
    if (this.#written > this.#handedOut) yield this.#chunk()
  }

  #room(): number {
    return this.#out.length - this.#written
  }

  #chunk(): Buffer {
    return this.#out.subarray(this.#handedOut, this.#written)
  }

  /** Keeps the bytes that may still be copied. */
  #makeRoom(): void {
    if (this.#total >= this.#size) throw corrupt()
    const kept = Math.min(WINDOW_BYTES, this.#written)
    this.#out.copyWithin(0, this.#written - kept, this.#written)
    this.#written = kept
    this.#handedOut = kept
  }

  #copyLiteral(length: number): number {
    const count = Math.min(length, this.#room())
    this.#bytes.copy(this.#out, this.#written, this.#at, this.#at + count)
    this.#at += count
    this.#advance(count)
    return count
  }

  #copyBack(tag: number): void {
    const short = (tag & 3) === 1
    const length = short ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
    const offset = short ? ((tag >>> 5) << 8) | this.#byte() : this.#littleEndian((tag & 3) === 2 ? 2 : 4)
    if (offset === 0 || offset > this.#written || length > this.#room()) throw corrupt()
    repeat(this.#out, { to: this.#written, offset, count: length })
    this.#advance(length)
  }

  #advance(count: number): void {
    this.#written += count
    this.#total += count
  }

  #literalLength(tag: number): number {
    const length = tag >>> 2
    return (length < 60 ? length : this.#littleEndian(length - 59)) + 1
  }

  #littleEndian(count: number): number {
    let value = 0
    for (let index = 0; index < count; index += 1) value += this.#byte() * 2 ** (8 * index)
    return value
  }

  #byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw corrupt()
    this.#at += 1
    return byte
  }

  #readSize(): number {
    let size = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte()
      size += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return size
    }
    throw corrupt()
  }
}

function corrupt(): Error {
  return new Error('The data is not a Snappy block, or is corrupt.')
}
