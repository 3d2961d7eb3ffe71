import kafkajs from 'kafkajs'
import { beforeAll, expect, test } from 'vitest'
import { registerCodecs } from '../../../../../src/adapters/kafka/kafkajs/codecs.ts'

interface Codec {
  compress(encoder: { buffer: Buffer }): Promise<Buffer>
  decompress(buffer: Buffer): Promise<Buffer>
}

const { CompressionCodecs, CompressionTypes } = kafkajs

function codecOf(name: 'GZIP' | 'Snappy' | 'LZ4' | 'ZSTD'): Codec {
  return (CompressionCodecs[CompressionTypes[name]] as () => Codec)()
}

beforeAll(registerCodecs)

test.each(['GZIP', 'Snappy', 'LZ4', 'ZSTD'] as const)(
  '%s decompresses to the original bytes',
  async (name) => {
    const codec = codecOf(name)
    for (const buffer of [
      Buffer.alloc(0),
      Buffer.from('x'),
      Buffer.from('a record, '.repeat(20_000)),
      Buffer.from(Array.from({ length: 5_000 }, (_, index) => (index * 7919) % 251)),
    ]) {
      const compressed = await codec.compress({ buffer })
      expect(Buffer.compare(await codec.decompress(compressed), buffer)).toBe(0)
    }
  },
)

test.each([
  ['LZ4', [0x04, 0x22, 0x4d, 0x18]],
  ['ZSTD', [0x28, 0xb5, 0x2f, 0xfd]],
] as const)('%s is written as a frame, which other clients can read', async (name, magic) => {
  const compressed = await codecOf(name).compress({ buffer: Buffer.from('a record, '.repeat(100)) })
  expect([...compressed.subarray(0, magic.length)]).toEqual(magic)
})

test.each(['Snappy', 'LZ4', 'ZSTD'] as const)('%s rejects bytes in another format', async (name) => {
  await expect(codecOf(name).decompress(Buffer.from('not compressed at all'))).rejects.toThrow(/./)
})
