/** Where the fields of a record batch (magic 2) stand, and what its attributes mean. */
import { CODECS, type Codec } from '../../core/compression.ts'

export const BATCH = {
  baseOffset: 0,
  /** Of what follows this field. */
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
  records: 61,
} as const

const CODEC_MASK = 0x07
export const LOG_APPEND_TIME = 0x08
export const TRANSACTIONAL = 0x10
export const CONTROL = 0x20

/** As the attributes name them. */
export const CODEC_IDS: Readonly<Record<Codec, number>> = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }

/** Null for a codec that does not exist. */
export function codecOf(attributes: number): Codec | null {
  return CODECS.find((codec) => CODEC_IDS[codec] === (attributes & CODEC_MASK)) ?? null
}
