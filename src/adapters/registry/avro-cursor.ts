/**
 * Reads Avro's binary encoding and never beyond the end of the bytes, whatever a length or count in them claims: it
 * throws a RangeError instead. avsc does not check this, so a count of 100 million items in four bytes costs it
 * seconds and a gigabyte.
 */
import { isUtf8 } from 'node:buffer'
import type { AvroType } from './avro-schema.ts'

const MAX_VARINT_BYTES = 10
const REPLACEMENT = '\u{fffd}'

export class AvroCursor {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  boolean(): boolean {
    return this.#byte() !== 0
  }

  /** Reads an int or a long. Values beyond 2^53 lose precision, which affects only times in nanoseconds. */
  long(): number {
    const first = this.#byte()
    let magnitude = (first & 0x7f) >>> 1
    let last = first
    let scale = 64
    for (let read = 1; last >= 0x80; read += 1) {
      if (read === MAX_VARINT_BYTES) throw new RangeError('A number has too many bytes.')
      last = this.#byte()
      magnitude += (last & 0x7f) * scale
      scale *= 128
    }
    return (first & 1) === 0 ? magnitude : -magnitude - 1
  }

  double(): number {
    const at = this.#at
    this.advance(8)
    return this.#bytes.readDoubleLE(at)
  }

  /** Null if the bytes are not UTF-8. */
  text(): string | null {
    const length = this.long()
    const from = this.#at
    this.advance(length)
    const text = this.#bytes.toString('utf8', from, this.#at)
    return text.includes(REPLACEMENT) && !isUtf8(this.#bytes.subarray(from, this.#at)) ? null : text
  }

  advance(length: number): void {
    if (!(length >= 0 && length <= this.#bytes.length - this.#at)) throw new RangeError('A value is cut off.')
    this.#at += length
  }

  branch<T>(branches: readonly T[]): T {
    const branch = branches[this.long()]
    if (branch === undefined) throw new RangeError('A union has no such branch.')
    return branch
  }

  skip(type: AvroType): void {
    switch (type.kind) {
      case 'null':
        return
      case 'boolean':
        return this.advance(1)
      case 'int':
      case 'long':
      case 'enum':
        this.long()
        return
      case 'float':
        return this.advance(4)
      case 'double':
        return this.advance(8)
      case 'bytes':
      case 'string':
        return this.advance(this.long())
      case 'fixed':
        return this.advance(type.size)
      case 'array':
        return this.#skipBlocks(() => this.skip(type.items))
      case 'map':
        return this.#skipBlocks(() => {
          this.advance(this.long())
          this.skip(type.values)
        })
      case 'union':
        return this.skip(this.branch(type.branches))
      case 'record':
        for (const field of type.fields) this.skip(field.type)
    }
  }

  #skipBlocks(skipItem: () => void): void {
    for (let count = this.long(); count !== 0; count = this.long()) {
      // A negative count is followed by the size of its block.
      if (count < 0) this.advance(this.long())
      for (; count > 0; count -= 1) {
        const before = this.#at
        skipItem()
        // The item takes no bytes, so the remaining ones take none either.
        if (this.#at === before) break
      }
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw new RangeError('The value is cut off.')
    this.#at += 1
    return byte
  }
}
