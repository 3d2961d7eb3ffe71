/**
 * The compression codecs of Kafka. A batch can decompress to a thousand times its size, so nothing here
 * decompresses without a limit: either up to a number of bytes, or chunk by chunk as the caller reads.
 */
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import {
  constants,
  createUnzip,
  createZstdDecompress,
  gzip,
  unzipSync,
  zstdCompress,
  zstdDecompressSync,
} from 'node:zlib'
import { compressFrame } from 'lz4-napi'
import type { Codec } from '../../../core/compression.ts'
import { lz4Chunks } from './lz4.ts'
import { compressSnappy, snappyChunks } from './snappy.ts'

export type Compression = Exclude<Codec, 'none'>

const CHUNK_BYTES = 64 * 1024
/** Decoders on the main thread yield to other work after this many bytes. */
const TURN_BYTES = 4 * 1024 * 1024
/** A zstd frame may request a window of 128 MiB. More than 8 MiB is granted only for short frames. */
const USUAL_WINDOW_LOG = 23
const MAX_WINDOW_LOG = 27
const MAX_BYTES_WITH_LARGE_WINDOW = 32 * 1024 * 1024

const COMPRESS: Readonly<Record<Compression, (bytes: Buffer) => Promise<Buffer>>> = {
  gzip: promisify<Buffer, Buffer>(gzip),
  snappy: (bytes) => Promise.resolve(compressSnappy(bytes)),
  lz4: (bytes) => compressFrame(bytes),
  zstd: promisify<Buffer, Buffer>(zstdCompress),
}

export function compress(codec: Compression, bytes: Buffer): Promise<Buffer> {
  return COMPRESS[codec](bytes)
}

/** Decompresses everything at once. Null if the result is larger than `maxBytes` or the data is corrupt. */
export function decompressUpTo(maxBytes: number, codec: Compression, bytes: Buffer): Buffer | null {
  try {
    switch (codec) {
      case 'gzip':
        return unzipSync(bytes, { maxOutputLength: maxBytes })
      case 'zstd':
        return zstdDecompressSync(bytes, { maxOutputLength: maxBytes })
      case 'snappy':
        return collect(snappyChunks(bytes), maxBytes)
      case 'lz4':
        return collect(lz4Chunks(bytes), maxBytes)
    }
  } catch {
    return null
  }
}

/**
 * Decompresses in chunks of up to a few megabytes on demand. Each chunk is valid until the next one is requested.
 * Throws if the data is corrupt or ends early.
 */
export async function* decompressedChunks(codec: Compression, bytes: Buffer): AsyncGenerator<Buffer> {
  switch (codec) {
    case 'gzip': {
      const stream = createUnzip({ chunkSize: CHUNK_BYTES })
      stream.end(bytes)
      yield* stream as AsyncIterable<Buffer>
      return
    }
    case 'zstd':
      yield* zstdChunks(bytes)
      return
    case 'snappy':
      yield* inTurns(snappyChunks(bytes))
      return
    case 'lz4':
      yield* inTurns(lz4Chunks(bytes))
  }
}

async function* zstdChunks(bytes: Buffer): AsyncGenerator<Buffer> {
  try {
    yield* zstdStream(bytes, USUAL_WINDOW_LOG)
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ZSTD_error_frameParameter_windowTooLarge') throw error
    let total = 0
    for await (const chunk of zstdStream(bytes, MAX_WINDOW_LOG)) {
      total += chunk.length
      if (total > MAX_BYTES_WITH_LARGE_WINDOW) throw error
      yield chunk
    }
  }
}

function zstdStream(bytes: Buffer, windowLog: number): AsyncIterable<Buffer> {
  const stream = createZstdDecompress({
    chunkSize: CHUNK_BYTES,
    params: { [constants.ZSTD_d_windowLogMax]: windowLog },
  })
  stream.end(bytes)
  return stream as AsyncIterable<Buffer>
}

async function* inTurns(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0
  for (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > TURN_BYTES) {
      bytes = 0
      await setImmediate()
    }
    yield chunk
  }
}

function collect(chunks: Iterable<Buffer>, maxBytes: number): Buffer | null {
  const all: Buffer[] = []
  let bytes = 0
  for (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > maxBytes) return null
    all.push(Buffer.from(chunk))
  }
  return all.length === 1 ? (all[0] ?? null) : Buffer.concat(all, bytes)
}
