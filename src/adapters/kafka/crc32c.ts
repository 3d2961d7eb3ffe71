/** CRC-32C, the checksum of record batches, eight bytes at a time with eight tables. Node.js only has CRC-32. */

const POLYNOMIAL = 0x82f63b78
const SLICES = 8
const TABLES = makeTables()

export function crc32c(bytes: Buffer, start: number, end: number): number {
  let crc = -1
  let at = start
  for (const last = end - SLICES; at <= last; at += SLICES) {
    const low = crc ^ word(bytes, at)
    const high = word(bytes, at + 4)
    crc =
      entry(7, low) ^
      entry(6, low >>> 8) ^
      entry(5, low >>> 16) ^
      entry(4, low >>> 24) ^
      entry(3, high) ^
      entry(2, high >>> 8) ^
      entry(1, high >>> 16) ^
      entry(0, high >>> 24)
  }
  for (; at < end; at += 1) crc = entry(0, crc ^ (bytes[at] as number)) ^ (crc >>> 8)
  return ~crc >>> 0
}

/** Reads a little-endian word on any machine. */
function word(bytes: Buffer, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}

/** Table `slice` contains the effect of a byte on the checksum when `slice` more bytes follow. */
function entry(slice: number, byte: number): number {
  return TABLES[(slice << 8) | (byte & 0xff)] as number
}

function makeTables(): Int32Array {
  const tables = new Int32Array(SLICES * 256)
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0)
    tables[byte] = crc
  }
  for (let index = 256; index < tables.length; index += 1) {
    const before = tables[index - 256] as number
    tables[index] = (before >>> 8) ^ (tables[before & 0xff] as number)
  }
  return tables
}
