/**
 * Decompresses LZ4 frames block by block. A block has at most 4 MiB, so memory is bounded; the library can only
 * decompress whole frames. Checksums are not verified, because the broker has verified the batch.
 */
const FRAME_MAGIC = 0x184d2204
/** Common prefix of 16 magic numbers, without the last four bits. */
const SKIPPABLE_MAGIC = 0x184d2a5
const BLOCK_BYTES = [0, 0, 0, 0, 64 * 1024, 256 * 1024, 1024 * 1024, 4 * 1024 * 1024]
/** How far back a block may refer to earlier ones. */
const HISTORY_BYTES = 64 * 1024
/** Maximum number of output bytes per byte of a block. */
const MAX_RATIO = 255

const FLAG = {
  independent: 0x20,
  blockChecksum: 0x10,
  contentSize: 0x08,
  contentChecksum: 0x04,
  dictionary: 0x01,
}
const UNCOMPRESSED = 0x80000000
/** Longer pieces are copied natively, shorter ones byte by byte. */
const SHORT_COPY_BYTES = 64

interface Frame {
  /** Where the first block begins. */
  readonly blocks: number
  readonly flags: number
  readonly blockBytes: number
}

/** Each chunk is valid until the next one is requested. Throws if the data is corrupt or ends early. */
export function* lz4Chunks(bytes: Buffer): Generator<Buffer> {
  let at = 0
  while (at < bytes.length) {
    const magic = bytes.readUInt32LE(at)
    if (magic >>> 4 === SKIPPABLE_MAGIC) at += 8 + bytes.readUInt32LE(at + 4)
    else if (magic === FRAME_MAGIC) at = yield* frameChunks(bytes, readFrame(bytes, at))
    else throw corrupt()
  }
}

function readFrame(bytes: Buffer, start: number): Frame {
  const flags = bytes.readUInt8(start + 4)
  const blockBytes = BLOCK_BYTES[(bytes.readUInt8(start + 5) >> 4) & 0x07] ?? 0
  if (flags >> 6 !== 1 || blockBytes === 0) throw corrupt()
  const optional = (flags & FLAG.contentSize ? 8 : 0) + (flags & FLAG.dictionary ? 4 : 0)
  return { blocks: start + 7 + optional, flags, blockBytes }
}

/** Returns the end of the frame. */
function* frameChunks(bytes: Buffer, { blocks, flags, blockBytes }: Frame): Generator<Buffer, number> {
  const output = new Output(flags & FLAG.independent ? 0 : HISTORY_BYTES)
  let at = blocks
  for (;;) {
    const word = bytes.readUInt32LE(at)
    at += 4
    if (word === 0) return at + (flags & FLAG.contentChecksum ? 4 : 0)
    const end = at + (word & ~UNCOMPRESSED)
    if (end > bytes.length) throw corrupt()
    const block = bytes.subarray(at, end)
    yield word & UNCOMPRESSED ? output.stored(block) : output.decompressed(block, blockBytes)
    at = end + (flags & FLAG.blockChecksum ? 4 : 0)
  }
}

/** The last decompressed block, preceded by the history that later blocks may refer to. */
class Output {
  readonly #historyBytes: number
  #bytes = Buffer.alloc(0)
  #end = 0

  constructor(historyBytes: number) {
    this.#historyBytes = historyBytes
  }

  stored(block: Buffer): Buffer {
    const start = this.#makeRoom(block.length)
    this.#bytes.set(block, start)
    this.#end = start + block.length
    return block
  }

  decompressed(block: Buffer, blockBytes: number): Buffer {
    const room = Math.min(blockBytes, block.length * MAX_RATIO)
    const start = this.#makeRoom(room)
    this.#end = decompressBlock(block, this.#bytes.subarray(0, start + room), start)
    return this.#bytes.subarray(start, this.#end)
  }

  /** Moves the history to the beginning. Returns its end. */
  #makeRoom(bytes: number): number {
    const history = Math.min(this.#historyBytes, this.#end)
    const kept = this.#bytes.subarray(this.#end - history, this.#end)
    if (this.#bytes.length < history + bytes) this.#bytes = Buffer.allocUnsafe(history + bytes)
    this.#bytes.set(kept, 0)
    return history
  }
}

/** Returns the end of the output. */
function decompressBlock(block: Buffer, out: Buffer, start: number): number {
  let at = 0
  let to = start
  const byte = (): number => {
    const value = block[at]
    if (value === undefined) throw corrupt()
    at += 1
    return value
  }
  const length = (nibble: number): number => {
    if (nibble < 15) return nibble
    let sum = nibble
    for (let more = 255; more === 255; sum += more) more = byte()
    return sum
  }
  for (;;) {
    const token = byte()
    const literals = length(token >> 4)
    if (at + literals > block.length || to + literals > out.length) throw corrupt()
    copyLiterals(block, at, out, { to, count: literals })
    at += literals
    to += literals
    if (at === block.length) return to
    const offset = byte() | (byte() << 8)
    const count = length(token & 15) + 4
    if (offset === 0 || offset > to || to + count > out.length) throw corrupt()
    repeat(out, { to, offset, count })
    to += count
  }
}

function copyLiterals(
  from: Buffer,
  at: number,
  out: Buffer,
  { to, count }: { to: number; count: number },
): void {
  if (count > SHORT_COPY_BYTES) from.copy(out, to, at, at + count)
  else for (let index = 0; index < count; index += 1) out[to + index] = from[at + index] as number
}

/** Copies bytes written `offset` bytes earlier. The ranges may overlap, which repeats a pattern. */
export function repeat(
  out: Buffer,
  { to, offset, count }: { to: number; offset: number; count: number },
): void {
  const from = to - offset
  if (count <= SHORT_COPY_BYTES) {
    for (let index = 0; index < count; index += 1) out[to + index] = out[from + index] as number
    return
  }
  for (let done = 0; done < count;) {
    const step = Math.min(count - done, offset + done)
    out.copyWithin(to + done, from, from + step)
    done += step
  }
}

function corrupt(): Error {
  return new Error('The data is not an LZ4 frame, or is corrupt.')
}
