import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { BATCH } from '../../../../../src/adapters/kafka/batch-format.ts'
import { registerCodecs } from '../../../../../src/adapters/kafka/kafkajs/codecs.ts'
import {
  decodeRecords,
  type DecodedRecords,
  type DecodeOptions,
} from '../../../../../src/adapters/kafka/fetch/decode-records.ts'
import { CODECS } from '../../../../../src/core/compression.ts'
import { BATCH_AT_MS, decodeOptions, storedBatch, textRecord } from '../../../../support/batches.ts'
import { headersOf } from '../../../../support/headers.ts'

const COMPRESSIONS = CODECS.filter((codec) => codec !== 'none')

beforeAll(registerCodecs)

function summary({ records }: Pick<DecodedRecords, 'records'>): string[] {
  return records.map(({ offset, value }) => `${offset} ${String(value)}`)
}

function texts(count: number, prefix = 'v'): string[] {
  return Array.from({ length: count }, (_, number) => `${prefix}${number}`)
}

/** Decodes everything in as many pieces as needed. */
async function pieces(bytes: Buffer, changes: Partial<DecodeOptions>): Promise<DecodedRecords[]> {
  const all: DecodedRecords[] = []
  for (let from = changes.from ?? 0n, more = true; more;) {
    const piece = await decodeRecords(bytes, decodeOptions({ ...changes, from }))
    expect(piece.nextOffset).toBeGreaterThan(from)
    all.push(piece)
    ;({ nextOffset: from, more } = piece)
  }
  return all
}

describe('a fetch response', () => {
  test('has records with offset, time and bytes', async () => {
    const headers = headersOf({ a: null, ['__proto__']: ['1', null] })
    const record = { key: Buffer.from('k'), value: Buffer.from('v'), headers }
    const { records, nextOffset, more } = await decodeRecords(
      await storedBatch(41n, [record]),
      decodeOptions(),
    )
    expect(records).toEqual([{ topic: 'in', partition: 3, offset: 41n, timestampMs: BATCH_AT_MS, ...record }])
    expect([nextOffset, more]).toEqual([42n, false])
  })

  test('may be empty, and may end inside a batch', async () => {
    expect(await decodeRecords(Buffer.alloc(0), decodeOptions({ from: 7n }))).toEqual({
      records: [],
      nextOffset: 7n,
      more: false,
    })
    const whole = await storedBatch(7n, [textRecord('a')])
    const cut = (await storedBatch(8n, texts(100).map(textRecord))).subarray(0, 700)
    for (let end = 0; end <= cut.length; end += 50) {
      const decoded = await decodeRecords(Buffer.concat([whole, cut.subarray(0, end)]), decodeOptions())
      expect([summary(decoded), decoded.nextOffset]).toEqual([['7 a'], 8n])
    }
  })

  test('is decoded from the requested offset although a batch arrives completely', async () => {
    for (const codec of CODECS) {
      const bytes = await storedBatch(10n, texts(5).map(textRecord), { codec })
      const decoded = await decodeRecords(bytes, decodeOptions({ from: 13n }))
      expect([summary(decoded), decoded.nextOffset]).toEqual([['13 v3', '14 v4'], 15n])
    }
  })

  test('is decoded in pieces limited by memory use, where even empty headers count', async () => {
    const headers = Array.from({ length: 1_000 }, () => ({ name: '', value: null }))
    const records = Array.from({ length: 20 }, () => ({ key: null, value: null, headers }))
    const bytes = await storedBatch(0n, records, { codec: 'gzip' })
    const all = await pieces(bytes, { maxBytes: 512 * 1024 })
    expect(all.map((piece) => piece.records.length)).toEqual(Array.from({ length: 10 }, () => 2))
  })

  test('may contain batches that compaction has emptied', async () => {
    const emptied = await storedBatch(10n, texts(5).map(textRecord))
    emptied.writeInt32BE(0, BATCH.count)
    const decoded = await decodeRecords(emptied, decodeOptions({ from: 10n }))
    expect(decoded).toMatchObject({ records: [], nextOffset: 15n })
  })

  test('may have offset gaps inside a batch after compaction', async () => {
    const bytes = await storedBatch(10n, texts(3).map(textRecord))
    bytes.writeInt32BE(4, BATCH.lastOffsetDelta)
    // After the length, attributes and time of each record, which is nine bytes long.
    for (const [at, delta] of [0, 2, 3].entries()) bytes[BATCH.records + at * 9 + 3] = delta * 2
    const decoded = await decodeRecords(bytes, decodeOptions({ from: 10n }))
    expect([summary(decoded), decoded.nextOffset]).toEqual([['10 v0', '12 v1', '13 v2'], 15n])
  })

  test("has the broker's time if the topic is configured so", async () => {
    const bytes = await storedBatch(0n, [textRecord('a')])
    bytes.writeInt16BE(0x08, BATCH.attributes)
    bytes.writeBigInt64BE(99n, BATCH.maxTimestamp)
    const { records } = await decodeRecords(bytes, decodeOptions())
    expect(records[0]?.timestampMs).toBe(99)
  })

  test('may have unusual timestamps, also before 1970', async () => {
    const bytes = await storedBatch(0n, [textRecord('a')], { timestampMs: -1 })
    expect((await decodeRecords(bytes, decodeOptions())).records[0]?.timestampMs).toBe(-1)
  })

  test.each([0, 1])('may contain messages in the format before Kafka 0.11, magic %d', async (magic) => {
    const message = (offset: bigint, value: string): Buffer => {
      const body = Buffer.from(value)
      const time = magic === 1 ? Buffer.from([0, 0, 0, 0, 0, 0, 0, 77]) : Buffer.alloc(0)
      const bytes = Buffer.alloc(12 + 4 + 2)
      bytes.writeBigInt64BE(offset, 0)
      bytes.writeInt32BE(6 + time.length + 8 + body.length, 8)
      bytes[16] = magic
      const size = Buffer.alloc(4)
      size.writeInt32BE(body.length)
      return Buffer.concat([bytes, time, Buffer.from([255, 255, 255, 255]), size, body])
    }
    const bytes = Buffer.concat([
      message(5n, 'old'),
      message(6n, 'older'),
      await storedBatch(7n, [textRecord('new')]),
    ])
    const decoded = await decodeRecords(bytes, decodeOptions({ from: 6n }))
    expect([summary(decoded), decoded.nextOffset]).toEqual([['6 older', '7 new'], 8n])
    expect(decoded.records.map(({ timestampMs }) => timestampMs)).toEqual([
      magic === 1 ? 77 : -1,
      BATCH_AT_MS,
    ])
  })
})

describe('decoding in pieces', () => {
  test('gives the same records as decoding at once, from any offset and with any codec', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.string({ maxLength: 60 }), { minLength: 1, maxLength: 20 }), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.constantFrom(...CODECS),
        fc.nat(60),
        fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 200 })),
        async (batches, codec, from, [maxRecords, maxBytes]) => {
          let offset = 0n
          const stored: Buffer[] = []
          for (const values of batches) {
            stored.push(await storedBatch(offset, values.map(textRecord), { codec }))
            offset += BigInt(values.length)
          }
          const bytes = Buffer.concat(stored)
          const all = batches.flat().map((value, at) => `${at} ${value}`)
          const read = await pieces(bytes, {
            from: BigInt(Math.min(from, all.length - 1)),
            maxRecords,
            maxBytes,
          })
          expect(read.flatMap(summary)).toEqual(all.slice(Math.min(from, all.length - 1)))
          expect(read.at(-1)?.nextOffset).toBe(offset)
          for (const { records } of read) {
            expect(records.length).toBeLessThanOrEqual(maxRecords)
            const size = records.reduce((total, { value }) => total + (value?.length ?? 0), 0)
            expect(size <= maxBytes || records.length === 1).toBe(true)
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  test.each(COMPRESSIONS)(
    'keeps its limits for a %s batch that is decoded record by record',
    async (codec) => {
      const values = Array.from({ length: 4_000 }, (_, number) => `${number} `.repeat(100))
      const bytes = await storedBatch(0n, values.map(textRecord), { codec })
      const read = await pieces(bytes, { from: 17n, maxRecords: 900, maxBytes: 200_000 })
      expect(read.flatMap(summary)).toEqual(values.map((value, at) => `${at} ${value}`).slice(17))
      expect(read.length).toBeGreaterThan(8)
    },
  )
})
