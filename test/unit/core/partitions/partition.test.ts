import * as fc from 'fast-check'
import kafkajs from 'kafkajs'
import { expect, test } from 'vitest'
import { murmur2, partitionOfKey } from '../../../../src/core/partitions/partition.ts'

// Vectors from Apache Kafka's UtilsTest.testMurmur2.
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('murmur2 of "%s" equals Apache Kafka\'s value', (text, hash) => {
  expect(murmur2(Buffer.from(text))).toBe(hash)
})

test('a key goes to the partition that the default partitioner of kafkajs chooses', () => {
  const partitioner = kafkajs.Partitioners.DefaultPartitioner()
  const key = fc.uint8Array({ maxLength: 70 }).map((bytes) => Buffer.from(bytes))
  fc.assert(
    fc.property(key, fc.integer({ min: 1, max: 64 }), (bytes, partitions) => {
      const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
        partitionId,
        leader: 1,
        partitionErrorCode: 0,
        replicas: [],
        isr: [],
      }))
      const message = { key: bytes, value: null }
      const expected = partitioner({ topic: 't', partitionMetadata, message })
      expect(partitionOfKey(bytes, partitions)).toBe(expected)
    }),
    { numRuns: 500 },
  )
})

test('a record without a key goes to partition 0', () => {
  expect(partitionOfKey(null, 8)).toBe(0)
})
