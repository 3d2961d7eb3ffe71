import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { BATCH } from '../../../../src/adapters/kafka/batch-format.ts'
import { registerCodecs } from '../../../../src/adapters/kafka/codecs.ts'
import {
  decodeRecords,
  type DecodedRecords,
  type DecodeOptions,
} from '../../../../src/adapters/kafka/decode-records.ts'
import { MAX_VALUE_BYTES } from '../../../../src/adapters/kafka/record-reader.ts'
import { CODECS, type Codec } from '../../../../src/core/compression.ts'
import type { InputRecord } from '../../../../src/ports.ts'
import { BATCH_AT_MS, blanksBatch, decodeOptions, storedBatch, textRecord } from '../../../support/batches.ts'
import { fakeLog } from '../../../support/fakes.ts'
import { headersOf } from '../../../support/headers.ts'

const COMPRESSIONS = CODECS.filter((codec) => codec !== 'none')
const MEGABYTE = 1024 * 1024

beforeAll(registerCodecs)

function summary({ records }: Pick<DecodedRecords, 'records'>): string[] {
  return records.map(({ offset, value }) => `${offset} ${String(value)}`)
}

function texts(count: number, prefix = 'v'): string[] {
  return Array.from({ length: count }, (_, number) => `${prefix}${number}`)
}

/** Everything, in as many pieces as it takes. */
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

describe('an answer', () => {
  test('gives its records with place, time and bytes', async () => {
    const headers = headersOf({ a: null, ['__proto__']: ['1', null] })
    const record = { key: Buffer.from('k'), value: Buffer.from('v'), headers }
    const { records, nextOffset, more } = await decodeRecords(
      await storedBatch(41n, [record]),
      decodeOptions(),
    )
    expect(records).toEqual([{ topic: 'in', partition: 3, offset: 41n, timestampMs: BATCH_AT_MS, ...record }])
    expect([nextOffset, more]).toEqual([42n, false])
  })

  test('may be empty, and may end in the midst of a batch', async () => {
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

  test('is read from the offset that was asked for: a batch comes whole', async () => {
    for (const codec of CODECS) {
      const bytes = await storedBatch(10n, texts(5).map(textRecord), { codec })
      const decoded = await decodeRecords(bytes, decodeOptions({ from: 13n }))
      expect([summary(decoded), decoded.nextOffset]).toEqual([['13 v3', '14 v4'], 15n])
    }
  })

  test('passes batches that compaction has emptied', async () => {
    const emptied = await storedBatch(10n, texts(5).map(textRecord))
    emptied.writeInt32BE(0, BATCH.count)
    const decoded = await decodeRecords(emptied, decodeOptions({ from: 10n }))
    expect(decoded).toMatchObject({ records: [], nextOffset: 15n })
  })

  test('has the time of the broker where the topic says so', async () => {
    const bytes = await storedBatch(0n, [textRecord('a')])
    bytes.writeInt16BE(0x08, BATCH.attributes)
    bytes.writeBigInt64BE(99n, BATCH.maxTimestamp)
    const { records } = await decodeRecords(bytes, decodeOptions())
    expect(records[0]?.timestampMs).toBe(99)
  })

  test('may hold odd times, before 1970 too', async () => {
    const bytes = await storedBatch(0n, [textRecord('a')], { timestampMs: -1 })
    expect((await decodeRecords(bytes, decodeOptions())).records[0]?.timestampMs).toBe(-1)
  })

  test.each([0, 1])('may hold messages in the format of before Kafka 0.11, magic %d', async (magic) => {
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

describe('the bounds', () => {
  test('give the same records in pieces as at once, from any offset and with any codec', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.string({ maxLength: 60 }), { minLength: 1, maxLength: 20 }), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.constantFrom(...CODECS),
        fc.nat(60),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 200 }),
        async (batches, codec, from, maxRecords, maxBytes) => {
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

  test.each(COMPRESSIONS)('hold for a %s batch that is read record by record', async (codec) => {
    const values = Array.from({ length: 4_000 }, (_, number) => `${number} `.repeat(100))
    const bytes = await storedBatch(0n, values.map(textRecord), { codec })
    const read = await pieces(bytes, { from: 17n, maxRecords: 900, maxBytes: 200_000 })
    expect(read.flatMap(summary)).toEqual(values.map((value, at) => `${at} ${value}`).slice(17))
    expect(read.length).toBeGreaterThan(8)
  })
})

describe('aborted transactions and markers', () => {
  type Step = readonly [producer: number, what: 'write' | 'abort' | 'commit']

  async function partitionOf(steps: readonly Step[]) {
    const batches: Buffer[] = []
    const aborted: DecodeOptions['aborted'][number][] = []
    const open = new Map<number, bigint[]>()
    const committed: bigint[] = []
    for (const [producer, what] of steps) {
      const offset = BigInt(batches.length)
      const written = open.get(producer) ?? []
      if (what !== 'write' && written.length === 0) continue
      const transaction = { producerId: BigInt(producer), producerEpoch: 0, firstSequence: 0 }
      const marker = { ...textRecord(''), key: Buffer.from([0, 0, 0, what === 'commit' ? 1 : 0]) }
      batches.push(
        what === 'write'
          ? await storedBatch(offset, [textRecord('x')], { transaction })
          : await storedBatch(offset, [marker], { transaction, control: true }),
      )
      if (what === 'write') {
        open.set(producer, [...written, offset])
        continue
      }
      open.delete(producer)
      if (what === 'commit') committed.push(...written)
      else aborted.push({ producerId: BigInt(producer), firstOffset: written[0] ?? 0n })
    }
    // What is still open is above the last stable offset: no answer holds it.
    const stable = Math.min(batches.length, ...[...open.values()].map(([first]) => Number(first)))
    return {
      bytes: Buffer.concat(batches.slice(0, stable)),
      aborted: aborted.filter(({ firstOffset }) => firstOffset < stable),
      committed: committed
        .filter((offset) => offset < stable)
        .toSorted((left, right) => Number(left - right)),
      stable: BigInt(stable),
    }
  }

  test('are left out, however transactions overlap, and passed', async () => {
    const step = fc.tuple(fc.nat(3), fc.constantFrom('write', 'write', 'abort', 'commit'))
    await fc.assert(
      fc.asyncProperty(fc.array(step as fc.Arbitrary<Step>, { maxLength: 40 }), async (steps) => {
        const { bytes, aborted, committed, stable } = await partitionOf(steps)
        const { records, nextOffset } = await decodeRecords(bytes, decodeOptions({ aborted }))
        expect(records.map(({ offset }) => offset)).toEqual(committed)
        expect(nextOffset).toBe(stable)
      }),
      { numRuns: 300 },
    )
  })

  test('are left out from the midst of an answer too', async () => {
    const steps: Step[] = [
      [0, 'write'],
      [1, 'write'],
      [0, 'abort'],
      [0, 'write'],
      [1, 'abort'],
      [0, 'commit'],
    ]
    const { bytes, aborted } = await partitionOf(steps)
    const { records } = await decodeRecords(bytes, decodeOptions({ aborted, from: 3n }))
    expect(records.map(({ offset }) => offset)).toEqual([3n])
  })
})

describe('a record that is too large', () => {
  const LARGE = Buffer.alloc(MAX_VALUE_BYTES + 1, ' ')
  const described = (bytes: Buffer) => ({
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  })

  async function decoded(codec: Codec, large: Partial<InputRecord>) {
    const record = { ...textRecord('small'), key: Buffer.from('key'), ...large }
    const log = fakeLog()
    const bytes = await storedBatch(0n, [textRecord('before'), record, textRecord('after')], { codec })
    const answer = await decodeRecords(bytes, decodeOptions({ log }))
    expect(answer.records.map(({ offset }) => offset)).toEqual([0n, 1n, 2n])
    expect(answer.records.map(({ value }) => String(value)).filter((_, at) => at !== 1)).toEqual([
      'before',
      'after',
    ])
    return { record: answer.records[1], lines: log.lines }
  }

  test.each(CODECS)('comes without its value, with its size and checksum, in %s', async (codec) => {
    const { record, lines } = await decoded(codec, { value: LARGE })
    expect(record).toMatchObject({ key: Buffer.from('key'), value: null })
    expect(record?.leftOut).toEqual([{ field: 'value', ...described(LARGE) }])
    expect(lines).toEqual([expect.stringMatching(/^A record is too large to be kept in memory\./)])
  })

  test.each(CODECS)('comes without its key and its headers, in %s', async (codec) => {
    const { record } = await decoded(codec, {
      key: LARGE,
      headers: [{ name: 'large', value: LARGE }],
    })
    expect(record).toMatchObject({ key: null, value: Buffer.from('small'), headers: [] })
    expect(record?.leftOut?.map(({ field }) => field)).toEqual(['key', 'headers'])
    expect(record?.leftOut?.[0]).toEqual({ field: 'key', ...described(LARGE) })
  })

  test('comes without headers if there are too many', async () => {
    const headers = Array.from({ length: 10_001 }, () => ({ name: '', value: null }))
    expect((await decoded('none', { headers })).record?.leftOut).toMatchObject([{ field: 'headers' }])
  })

  test.each(COMPRESSIONS)('takes little memory: 200 MB of blanks in %s', async (codec) => {
    const bytes = await blanksBatch(codec, 200)
    const before = process.memoryUsage.rss()
    let peak = before
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 2)
    const { records } = await decodeRecords(bytes, decodeOptions())
    clearInterval(watch)
    expect(records.map(({ leftOut }) => leftOut?.[0]?.bytes)).toEqual([200 * MEGABYTE])
    expect(Math.max(peak, process.memoryUsage.rss()) - before).toBeLessThan(110 * MEGABYTE)
  })
})

describe('a damaged batch', () => {
  async function damaged(change: (bytes: Buffer) => Buffer | void, codec: Codec = 'none') {
    const bytes = await storedBatch(10n, texts(5).map(textRecord), { codec })
    const broken = change(bytes) ?? bytes
    const after = await storedBatch(15n, [textRecord('after')])
    return decodeRecords(Buffer.concat([broken, after]), decodeOptions({ from: 10n }))
  }

  test('gives the records that can be read, then one for all the other offsets, and the next batch', async () => {
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

  test('is one record if it has an unknown codec', async () => {
    const decoded = await damaged((bytes) => void bytes.writeInt16BE(7, BATCH.attributes))
    expect(summary(decoded)).toEqual(['14 null', '15 after'])
  })

  test('without a length that makes sense costs one offset', async () => {
    for (const length of [-1, 0, 10, -(2 ** 31)]) {
      const decoded = await damaged((bytes) => void bytes.writeInt32BE(length, BATCH.length))
      expect(decoded.records).toMatchObject([{ offset: 10n, unreadableFrom: 10n }])
      expect(decoded.nextOffset).toBe(11n)
    }
  })

  test('of any kind neither throws nor loops, and what stands before it is not lost', async () => {
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
