/** Field offsets of a record batch (magic 2), and the meaning of its attributes. */
import { CODECS, type Codec } from '../../core/compression.ts'

export const BATCH = {
  baseOffset: 0,
  /** Length of everything after this field. */
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

/** The codec's id in the attributes. */
export const CODEC_IDS: Readonly<Record<Codec, number>> = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }

/** Null if the codec does not exist. */
export function codecOf(attributes: number): Codec | null {
  return CODECS.find((codec) => CODEC_IDS[codec] === (attributes & CODEC_MASK)) ?? null
}
