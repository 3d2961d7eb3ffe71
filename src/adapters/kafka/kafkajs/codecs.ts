/**
 * Registers all compression codecs for what kafkajs still decodes: message formats before Kafka 0.11. kafkajs
 * itself supports only gzip, and decompresses without a limit.
 */
import kafkajs from 'kafkajs'
import { compress, decompressUpTo, type Compression } from '../fetch/compression.ts'

const MAX_BYTES = 16 * 1024 * 1024

const { CompressionCodecs, CompressionTypes } = kafkajs

export function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.GZIP] = () => codec('gzip')
  CompressionCodecs[CompressionTypes.Snappy] = () => codec('snappy')
  CompressionCodecs[CompressionTypes.LZ4] = () => codec('lz4')
  CompressionCodecs[CompressionTypes.ZSTD] = () => codec('zstd')
}

function codec(name: Compression) {
  return {
    compress: ({ buffer }: { buffer: Buffer }): Promise<Buffer> => compress(name, buffer),
    decompress: async (bytes: Buffer): Promise<Buffer> => {
      const plain = decompressUpTo(MAX_BYTES, name, bytes)
      if (plain === null)
        throw new Error(`The ${name} data is corrupt or decompresses to more than ${MAX_BYTES} bytes.`)
      return plain
    },
  }
}
