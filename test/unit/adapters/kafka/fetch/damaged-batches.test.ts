import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BATCH } from '../../../../../src/adapters/kafka/batch-format.ts'
import { decodeRecords, type DecodedRecords } from '../../../../../src/adapters/kafka/fetch/decode-records.ts'
import { CODECS, type Codec } from '../../../../../src/core/compression.ts'
import { decodeOptions, storedBatch, textRecord } from '../../../../support/batches.ts'

const COMPRESSIONS = CODECS.filter((codec) => codec !== 'none')
const RECORD_BYTES = 9
const MEGABYTE = 1024 * 1024

function summary({ records }: Pick<DecodedRecords, 'records'>): string[] {
  return records.map(({ offset, value }) => `${offset} ${String(value)}`)
}

function texts(count: number, prefix = 'v'): string[] {
  return Array.from({ length: count }, (_, number) => `${prefix}${number}`)
}

async function damaged(change: (bytes: Buffer) => Buffer | void, codec: Codec = 'none') {
  const bytes = await storedBatch(10n, texts(5).map(textRecord), { codec })
  const broken = change(bytes) ?? bytes
  const after = await storedBatch(15n, [textRecord('after')])
  return decodeRecords(Buffer.concat([broken, after]), decodeOptions({ from: 10n }))
}

describe('a damaged batch', () => {
  test('gives its readable records, then one record for all other offsets, then the next batch', async () => {
    const decoded = await damaged((bytes) => void bytes.writeInt8(127, BATCH.records + 18))
    expect(summary(decoded)).toEqual(['10 v0', '11 v1', '14 null', '15 after'])
    expect(decoded.records[2]).toMatchObject({ unreadableFrom: 12n, key: null, headers: [] })
    expect(decoded.nextOffset).toBe(16n)
  })

  test.each(COMPRESSIONS)('is one record if it cannot be decompressed: %s', async (codec) => {
    const values = Array.from({ length: 200 }, (_, at) => `${(at * 7919) % 1_000}`)
    const bytes = await storedBatch(10n, values.map(textRecord), { codec })
    bytes.fill(0xff, BATCH.records + 4)
    const { records, nextOffset } = await decodeRecords(bytes, decodeOptions({ from: 10n }))
    expect(records).toMatchObject([{ offset: 209n, unreadableFrom: 10n, value: null }])
    expect(nextOffset).toBe(210n)
  })

  test('is one record if its codec is unknown', async () => {
    const decoded = await damaged((bytes) => void bytes.writeInt16BE(7, BATCH.attributes))
    expect(summary(decoded)).toEqual(['14 null', '15 after'])
  })

  // Brokers accept such batches because they check record offsets only if they decompress them.
  test.each([
    ['ahead of the batch', [0, 1, 40, 3, 4], ['10 v0', '11 v1', '14 null', '15 after']],
    ['ahead in the batch', [0, 3, 2, 3, 4], ['10 v0', '14 null', '15 after']],
    ['back', [0, 1, 1, 3, 4], ['10 v0', '11 v1', '14 null', '15 after']],
    ['before the batch', [-1, 1, 2, 3, 4], ['14 null', '15 after']],
    ['at its end only', [0, 1, 2, 3, 5], ['10 v0', '11 v1', '12 v2', '13 v3', '14 null', '15 after']],
  ])('offsets that jump %s lose no record after the damaged batch', async (_, deltas, expected) => {
    const decoded = await damaged((bytes) => {
      // After its length, attributes and time.
      for (const [at, delta] of deltas.entries())
        bytes[BATCH.records + at * RECORD_BYTES + 3] = delta < 0 ? 1 : delta * 2
    })
    expect(summary(decoded)).toEqual(expected)
  })

  test('a batch with an invalid length costs one offset', async () => {
    for (const length of [-1, 0, 10, -(2 ** 31)]) {
      const decoded = await damaged((bytes) => void bytes.writeInt32BE(length, BATCH.length))
      expect(decoded.records).toMatchObject([{ offset: 10n, unreadableFrom: 10n }])
      expect(decoded.nextOffset).toBe(11n)
    }
  })

  test('any damage neither throws nor loops, and earlier records are kept', async () => {
    const good = await storedBatch(0n, texts(3).map(textRecord))
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...CODECS),
        fc.array(fc.tuple(fc.nat(10_000), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        async (codec, changes) => {
          const broken = await storedBatch(3n, texts(40, 'value ').map(textRecord), { codec })
          for (const [at, byte] of changes) broken[at % broken.length] = byte
          const decoded = await decodeRecords(
            Buffer.concat([good, broken]),
            decodeOptions({ maxRecords: 1_000, maxBytes: MEGABYTE }),
          )
          expect(summary(decoded).slice(0, 3)).toEqual(['0 v0', '1 v1', '2 v2'])
          expect(decoded.nextOffset).toBeGreaterThanOrEqual(3n)
        },
      ),
      { numRuns: 500 },
    )
  })
})
