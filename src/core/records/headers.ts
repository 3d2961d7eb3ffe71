/**
 * Record headers as in Kafka: an ordered list of names and values. Names may repeat and values may be null. Copies
 * preserve both byte for byte. Pure.
 *
 * A name holds one character per byte (latin1), because Kafka does not check that names are valid UTF-8. Our own names
 * are ASCII and need no conversion; {@link nameBytes} returns the bytes of any name.
 */

export interface Header {
  readonly name: string
  readonly value: Buffer | null
}

export type Headers = readonly Header[]

/** Shared by all records without headers. */
export const NO_HEADERS: Headers = Object.freeze([])

/** Creates one of our own headers, whose names are ASCII. */
export function textHeader(name: string, text: string): Header {
  return { name, value: Buffer.from(text) }
}

export function hasHeader(headers: Headers, name: string): boolean {
  return headers.some((header) => header.name === name)
}

/** The value of the last header with this name, like Kafka's own clients; null if there is none. */
export function lastValue(headers: Headers, name: string): Buffer | null {
  return headers.findLast((header) => header.name === name)?.value ?? null
}

/** Like {@link lastValue}, as text; empty if there is none. */
export function lastText(headers: Headers, name: string): string {
  return lastValue(headers, name)?.toString('utf8') ?? ''
}

/**
 * Encodes headers as in a record: their number, then each name and value with its length. A null value has the length
 * -1.
 */
export function encodedHeaders(headers: Headers): Buffer {
  const parts = [varint(headers.length)]
  for (const header of headers) {
    const name = nameBytes(header)
    parts.push(varint(name.length), name, varint(header.value?.length ?? -1), header.value ?? NO_BYTES)
  }
  return Buffer.concat(parts)
}

const NO_BYTES = Buffer.alloc(0)

/** Zigzag encoding: 0, -1, 1, -2 become 0, 1, 2, 3. */
function varint(value: number): Buffer {
  const bytes: number[] = []
  let left = value < 0 ? -2 * value - 1 : 2 * value
  while (left >= 0x80) {
    bytes.push((left % 0x80) + 0x80)
    left = Math.floor(left / 0x80)
  }
  return Buffer.from([...bytes, left])
}

/** Memory per header in addition to its bytes: one object for the header and one for its value. */
const OBJECT_BYTES = 180

/** The approximate memory that headers use. Thousands of empty ones fit into a few bytes of a compressed batch. */
export function headersMemory(headers: Headers): number {
  let bytes = headers.length * OBJECT_BYTES
  for (const { name, value } of headers) bytes += name.length + (value?.length ?? 0)
  return bytes
}

export function nameBytes({ name }: Header): Buffer {
  return Buffer.from(name, 'latin1')
}
