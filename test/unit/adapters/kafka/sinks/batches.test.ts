import { describe, expect, test } from 'vitest'
import { batches } from '../../../../../src/adapters/kafka/sinks/batches.ts'
import { encodeBatch } from '../../../../../src/adapters/kafka/sinks/encode-batch.ts'
import { packed } from '../../../../../src/adapters/kafka/sinks/produce.ts'
import type { OutputRecord } from '../../../../../src/ports.ts'
import { PACKING } from '../../../../support/packing.ts'

function output(bytes: number, headerBytes = 0): OutputRecord {
  const headers = headerBytes === 0 ? [] : [{ name: 'ballast', value: Buffer.alloc(headerBytes) }]
  return { topic: 'out', partition: 0, key: null, value: Buffer.alloc(bytes, 'x'), headers }
}

function sizes(outputs: readonly OutputRecord[], maxMessageBytes = 1_048_588): number[] {
  return [...batches(outputs, { maxMessageBytes })].map(({ records }) => records.length)
}

function codecs(outputs: readonly OutputRecord[], packing = PACKING): string[] {
  return [...packed(outputs, packing)].map(({ codec }) => codec)
}

const small = Array.from({ length: 3_000 }, () => output(400))

describe('records for one partition', () => {
  test('are split into batches of at most half a megabyte', () => {
    expect(sizes(small).length).toBe(3)
  })

  test('are split so that the topic accepts each batch', async () => {
    const max = 70_000
    for (const { records } of batches(small, { maxMessageBytes: max })) {
      const bytes = await encodeBatch(records, { transaction: null, timestampMs: 0, codec: 'none' })
      expect(bytes.length).toBeLessThanOrEqual(max)
    }
    expect(sizes(small, max).reduce((sum, count) => sum + count)).toBe(3_000)
  })

  test('count with their headers, which may be larger than the value', () => {
    expect(sizes([output(1, 50_000), output(1, 50_000)], 90_000)).toEqual([1, 1])
  })

  test('stay in order, and a large record gets a separate batch', () => {
    const outputs = [output(1), output(2), output(70_000), output(3), output(70_001), output(70_002)]
    expect(sizes(outputs)).toEqual([2, 1, 1, 1, 1])
    const order = [...batches(outputs, { maxMessageBytes: 1_048_588 })].flatMap(({ records }) => records)
    expect(order).toEqual(outputs)
  })
})

describe('batch compression', () => {
  test('uses gzip for a large record and the configured codec otherwise', () => {
    const outputs = [output(400), output(70_000)]
    expect(codecs(outputs)).toEqual(['none', 'gzip'])
    expect(codecs(outputs, { ...PACKING, compression: 'zstd' })).toEqual(['zstd', 'gzip'])
  })

  test("uses gzip for a record that would otherwise exceed the topic's limit", () => {
    expect(codecs([output(2_000)], { ...PACKING, maxMessageBytes: () => 1_000 })).toEqual(['gzip'])
  })
})
