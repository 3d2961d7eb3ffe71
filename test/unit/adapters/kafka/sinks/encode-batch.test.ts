import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { registerCodecs } from '../../../../../src/adapters/kafka/kafkajs/codecs.ts'
import { decodeRecords } from '../../../../../src/adapters/kafka/fetch/decode-records.ts'
import { encodeBatch, recordBytes } from '../../../../../src/adapters/kafka/sinks/encode-batch.ts'
import { responseOf } from '../../../../../src/adapters/kafka/kafkajs/internals.ts'
import { CODECS } from '../../../../../src/core/compression.ts'
import { BATCH_AT_MS, decodeOptions, textRecord } from '../../../../support/batches.ts'
import { encodeFetchAnswer } from '../../../../support/fake-broker.ts'
import { headersOf, listHeaders } from '../../../../support/headers.ts'

interface KafkajsRecord {
  readonly offset: string
  readonly timestamp: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Record<string, Buffer>
  readonly batchContext: object
}

registerCodecs()

/** The records of a Fetch response with this batch. */
async function decodeWithKafkajs(batch: Buffer): Promise<readonly KafkajsRecord[]> {
  const answer = encodeFetchAnswer({ partitions: [{ topic: 'any', partition: 0, records: batch }] })
  const { responses } = await (responseOf('Fetch', 10).decode(answer) as Promise<{
    responses: readonly { partitions: readonly { messages: readonly KafkajsRecord[] }[] }[]
  }>)
  return responses.flatMap(({ partitions }) => partitions.flatMap(({ messages }) => messages))
}

const TRANSACTION = { producerId: 2n ** 40n + 7n, producerEpoch: 3, firstSequence: 1_000 }
const PLAIN = { transaction: null, timestampMs: BATCH_AT_MS, codec: 'none' } as const

describe('an encoded batch', () => {
  test.each(CODECS)('is read by kafkajs unchanged with codec %s', async (codec) => {
    const records = Array.from({ length: 300 }, (_, number) => ({
      key: number % 3 === 0 ? null : Buffer.from(`key ${number}`),
      value: number % 5 === 0 ? null : Buffer.from('value '.repeat(number)),
      headers: headersOf(
        number % 2 === 0 ? {} : { traceparent: `${number}`, '': 'empty', twice: ['1', '2'] },
      ),
    }))
    const bytes = await encodeBatch(records, { ...PLAIN, transaction: TRANSACTION, codec })
    const read = await decodeWithKafkajs(bytes)
    expect(read[0]?.batchContext).toMatchObject({
      producerId: String(TRANSACTION.producerId),
      producerEpoch: 3,
      firstSequence: 1_000,
      lastOffsetDelta: 299,
      inTransaction: true,
      maxTimestamp: String(BATCH_AT_MS),
    })
    expect(read.map(({ offset }) => Number(offset))).toEqual(records.map((_, index) => index))
    for (const [index, { key, value, headers, timestamp }] of read.entries()) {
      expect([key, value, timestamp]).toEqual([
        records[index]?.key,
        records[index]?.value,
        String(BATCH_AT_MS),
      ])
      expect(listHeaders(headers)).toEqual(records[index]?.headers)
    }
  })

  test('a batch without a transaction has no producer id, like in the Java client', async () => {
    const bytes = await encodeBatch([textRecord('a')], PLAIN)
    const [read] = await decodeWithKafkajs(bytes)
    expect(read?.batchContext).toMatchObject({
      producerId: '-1',
      producerEpoch: -1,
      firstSequence: -1,
      inTransaction: false,
    })
  })

  // Written by kafka-clients 4.3.0: MemoryRecords.withRecords(Compression.NONE, new SimpleRecord(...)).
  test('equals the bytes of the Java client', async () => {
    const record = { key: Buffer.from('k'), value: Buffer.from('v'), headers: headersOf({ h: null }) }
    const bytes = await encodeBatch([record], { ...PLAIN, timestampMs: 1_767_225_600_000 })
    expect(bytes.toString('hex')).toBe(JAVA_BYTES)
  })

  test('is not compressed if that would make it larger', async () => {
    const bytes = await encodeBatch([textRecord('a')], { ...PLAIN, codec: 'gzip' })
    expect(bytes.equals(await encodeBatch([textRecord('a')], PLAIN))).toBe(true)
  })
})

const JAVA_BYTES =
  '00000000000000000000003dffffffff0238675b620000000000000000019b76daa8000000019b76daa800ffffffffffffffffffffffffffff0000000116000000026b027602026801'

const bytesOf = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
const name = fc.oneof(
  fc.constantFrom('', '__proto__', 'constructor', 'toString', 'traceparent', '\u00ff\u00fe'),
  bytesOf.map((bytes) => bytes.toString('latin1')),
)
const record = fc.record({
  key: fc.option(bytesOf),
  value: fc.option(bytesOf),
  headers: fc.array(fc.record({ name, value: fc.option(bytesOf) }), { maxLength: 20 }),
})

describe('arbitrary records', () => {
  test('are decoded byte for byte in order, with null values, repeated headers and unusual names', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 30 }),
        fc.constantFrom(...CODECS),
        async (records, codec) => {
          const { records: read } = await decodeRecords(
            await encodeBatch(records, { ...PLAIN, codec }),
            decodeOptions(),
          )
          expect(read.map(({ key, value, headers }) => ({ key, value, headers }))).toEqual(records)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('are not larger than their estimated size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 200 }), async (records) => {
        const bytes = await encodeBatch(records, PLAIN)
        const max = records.reduce((total, one) => total + recordBytes(one), 61)
        expect(bytes.length).toBeLessThanOrEqual(max)
        expect(bytes.length).toBeGreaterThan(max - 6 * records.length)
      }),
      { numRuns: 50 },
    )
  })
})
