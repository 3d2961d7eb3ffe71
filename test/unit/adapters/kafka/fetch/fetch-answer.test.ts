import { expect, test } from 'vitest'
import { decodeFetchAnswer } from '../../../../../src/adapters/kafka/fetch/fetch-answer.ts'

/** Version 4, one topic whose partitions have these numbers of record bytes. */
function answer(...sizes: readonly number[]): Buffer {
  const partitions = sizes.map((size, partition) => {
    const head = Buffer.alloc(4 + 2 + 8 + 8 + 4 + 4)
    head.writeInt32BE(partition, 0)
    head.writeBigInt64BE(BigInt(size), 6)
    head.writeInt32BE(size, 26)
    return Buffer.concat([head, Buffer.alloc(size, partition + 1)])
  })
  const head = Buffer.alloc(4 + 4 + 2 + 2 + 4)
  head.writeInt32BE(1, 4)
  head.writeInt16BE(2, 8)
  head.write('in', 10)
  head.writeInt32BE(sizes.length, 12)
  return Buffer.concat([head, ...partitions])
}

test('a small part of a large response does not keep the whole response in memory', () => {
  const [small, large] = decodeFetchAnswer(answer(1_000, 300_000), 4).partitions
  expect([small?.records.length, small?.records.every((byte) => byte === 1)]).toEqual([1_000, true])
  expect(small?.records.buffer.byteLength).toBeLessThan(100_000)
  expect([large?.records.length, large?.records.every((byte) => byte === 2)]).toEqual([300_000, true])
  expect(large?.records.buffer.byteLength).toBeGreaterThan(300_000)
})
