import { gunzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { compress as compressBare } from 'snappyjs'
import { describe, expect, test } from 'vitest'
import {
  compress,
  decompressedChunks,
  decompressUpTo,
  type Compression,
} from '../../../../../src/adapters/kafka/fetch/compression.ts'
import { lz4Chunks } from '../../../../../src/adapters/kafka/fetch/lz4.ts'
import { snappyChunks } from '../../../../../src/adapters/kafka/fetch/snappy.ts'

const COMPRESSIONS: readonly Compression[] = ['gzip', 'snappy', 'lz4', 'zstd']
const MEGABYTE = 1024 * 1024

async function readAll(codec: Compression, bytes: Buffer): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of decompressedChunks(codec, bytes)) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

function copied(chunks: Iterable<Buffer>): Buffer {
  const copies: Buffer[] = []
  for (const chunk of chunks) copies.push(Buffer.from(chunk))
  return Buffer.concat(copies)
}

/** Bytes that compress a little, a lot or not at all. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.nat(5_000))
        .map(([bytes, times]) => Buffer.alloc(bytes.length * times, Buffer.from(bytes))),
    ),
    { maxLength: 20 },
  )
  .map((parts) => Buffer.concat(parts))

describe.each(COMPRESSIONS)('%s decompression', (codec) => {
  test('returns the original bytes at once and in chunks', async () => {
    await fc.assert(
      fc.asyncProperty(content, async (bytes) => {
        const compressed = await compress(codec, bytes)
        expect(decompressUpTo(2 * MEGABYTE, codec, compressed)?.equals(bytes)).toBe(true)
        expect((await readAll(codec, compressed)).equals(bytes)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  test('stops at the size limit', async () => {
    const compressed = await compress(codec, Buffer.alloc(MEGABYTE + 1))
    expect(decompressUpTo(MEGABYTE, codec, compressed)).toBeNull()
    expect(decompressUpTo(MEGABYTE + 1, codec, compressed)).toHaveLength(MEGABYTE + 1)
  })

  test('fails on corrupt or truncated input and never returns more than the content', async () => {
    const bytes = Buffer.from(Array.from({ length: 9_000 }, (_, at) => (at * at) % 251))
    const compressed = await compress(codec, bytes)
    const cut = compressed.subarray(0, compressed.length - 5)
    const foreign = Buffer.from('neither a frame nor a block of it')
    for (const broken of [cut, foreign]) {
      expect(decompressUpTo(MEGABYTE, codec, broken)).toBeNull()
      await expect(readAll(codec, broken)).rejects.toThrow(/./)
    }
  })

  test('never hangs or reads beyond its input, for any bytes', async () => {
    const compressed = await compress(codec, Buffer.from('a record, '.repeat(500)))
    await fc.assert(
      fc.asyncProperty(fc.nat(compressed.length - 1), fc.nat(255), async (at, byte) => {
        const broken = Buffer.from(compressed)
        broken[at] = byte
        expect(decompressUpTo(MEGABYTE, codec, broken)?.length ?? 0).toBeLessThanOrEqual(MEGABYTE)
        const outcome = await readAll(codec, broken).then(
          () => 'read',
          () => 'corrupt',
        )
        expect(['read', 'corrupt']).toContain(outcome)
      }),
      { numRuns: 200 },
    )
  })
})

test('an LZ4 frame may have blocks that refer to earlier blocks', () => {
  // 20,000 records by `lz4 -BD -B4`, in gzip.
  const frame = gunzipSync(Buffer.from(LINKED_FRAME, 'base64'))
  const expected = Array.from({ length: 20_000 }, (_, number) => `record ${number % 7}, `).join('')
  expect(copied(lz4Chunks(frame)).equals(Buffer.from(expected))).toBe(true)
})

const LINKED_FRAME =
  'H4sIAAAAAAACA2NR8pVwcYjTY2RgWFyUmpxflKJgoKPAxSBqCMRGQGwMxCZAbMrFYG+mo+DG8H+Eg0UB4GDiAoYY/2hovAgw0lEoSh0NDWhogDKQiTgDZmiYBoBzFlCGQdfcIwIAxPdVTXgDAAA='

test('a Snappy block without frame is decompressed, even if it is larger than the window', () => {
  const words = Array.from({ length: 300_000 }, (_, number) => `word ${(number * 7919) % 1_000} `)
  for (const size of [10, 10_000, 300_000]) {
    const bytes = Buffer.from(words.slice(0, size).join(''))
    expect(copied(snappyChunks(compressBare(bytes))).equals(bytes)).toBe(true)
  }
  const long = Buffer.concat(Array.from({ length: 10 }, () => Buffer.from(words.join(''))))
  expect(long.length).toBeGreaterThan(16 * MEGABYTE)
  expect(copied(snappyChunks(compressBare(long))).equals(long)).toBe(true)
})
