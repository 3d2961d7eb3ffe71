import { describe, expect, test } from 'vitest'
import {
  decodedAs,
  problemOf,
  PLAIN_EVENT,
  schemaOf,
  TIME,
  varint,
  written,
} from '../../../support/avro-events.ts'
import { NOW_MS } from '../../../support/event-decoder.ts'

const DAY_MS = 86_400_000

function nullable(type: unknown): object {
  return { type: ['null', type], default: null }
}

describe('record names', () => {
  test.each(['ConnectDefault', 'VerificationCompleted', 'io.confluent.ksql.KsqlDataSourceSchema', 'a.b.C'])(
    'an event with the record name %s is decoded',
    async (name) => {
      const schema = schemaOf({}, name)
      expect(await decodedAs(schema, written(schema, PLAIN_EVENT))).toEqual({
        kind: 'event',
        event: PLAIN_EVENT,
      })
    },
  )

  test('decodes an event that fastavro wrote like Kafka Connect: nullable fields and a time in microseconds', async () => {
    const fields = [
      { name: 'transactionId', ...nullable('string') },
      { name: 'merchantBizId', ...nullable({ type: 'string', 'avro.java.string': 'String' }) },
      { name: 'completedAt', ...nullable({ type: 'long', logicalType: 'timestamp-micros' }) },
      { name: 'passed', ...nullable('string') },
    ]
    const schema = { type: 'record', name: 'ConnectDefault', namespace: 'io.confluent.connect.avro', fields }
    // fastavro 1.13.1, schemaless_writer: hkstest1, biz1, 2026-01-01T00:00:00.000123Z, Y.
    const body = Buffer.from('0210686b737465737431020862697a3102f68182e288d2a306020259', 'hex')
    expect(await decodedAs(schema, body)).toEqual({ kind: 'event', event: { ...PLAIN_EVENT, passed: 'Y' } })
  })

  test('decodes an event that fastavro wrote like ksqlDB: a nullable root, upper-case names, and other lists and maps', async () => {
    const fields = [
      { name: 'TRANSACTIONID', type: ['null', 'string'] },
      { name: 'MERCHANTBIZID', type: ['null', 'string'] },
      { name: 'COMPLETEDAT', type: ['null', 'long'] },
      { name: 'TAGS', type: ['null', { type: 'array', items: ['null', 'string'] }] },
      { name: 'ATTRIBUTES', type: ['null', { type: 'map', values: ['null', 'double'] }] },
    ]
    const schema = ['null', { type: 'record', name: 'KsqlDataSourceSchema', fields }]
    // fastavro 1.13.1, schemaless_writer: the lists and the map have three and two entries.
    const body = Buffer.from(
      '020210686b737465737431020862697a310280a0d5edee66020602026100020262000204027802000000000000f83f02790000',
      'hex',
    )
    expect(await decodedAs(schema, body)).toEqual({ kind: 'event', event: PLAIN_EVENT })
    expect(await decodedAs(schema, Buffer.from([0]))).toMatchObject({ kind: 'foreign', foreign: 'tombstone' })
  })
})

describe('text fields', () => {
  test.each([
    ['bytes', 'bytes', Buffer.from('hkstest1')],
    ['a nullable string', ['null', 'string'], { string: 'hkstest1' }],
    ['a union of several', ['int', 'string', 'bytes'], { bytes: Buffer.from('hkstest1') }],
    ['an enum', { type: 'enum', name: 'E', symbols: ['other', 'hkstest1'] }, 'hkstest1'],
    ['a string with properties', { type: 'string', 'avro.java.string': 'String' }, 'hkstest1'],
  ])('are decoded from %s', async (_, transactionId, value) => {
    const schema = schemaOf({ transactionId })
    const body = written(schema, { ...PLAIN_EVENT, transactionId: value })
    expect(await decodedAs(schema, body)).toEqual({ kind: 'event', event: PLAIN_EVENT })
  })

  test.each([
    ['null', ['null', 'string'], null, 'null'],
    ['int', 'int', 7, 'an int'],
    ['array', { type: 'array', items: 'string' }, ['a'], 'a list'],
    ['fixed', { type: 'fixed', name: 'F', size: 1 }, Buffer.from('x'), 'a fixed number of bytes'],
    ['record', { type: 'record', name: 'R', fields: [] }, {}, 'a record'],
  ])('are not decoded from %s', async (_, merchantBizId, value, what) => {
    expect(await problemOf(schemaOf({ merchantBizId }), { ...PLAIN_EVENT, merchantBizId: value })).toBe(
      `invalid-event: merchantBizId: expected a string of 1 to 256 characters, got ${what}.`,
    )
  })

  test('are decoded from a string whose type is wrapped once more, which avsc rejects', async () => {
    const schema = schemaOf({ transactionId: { type: { type: 'string' } } })
    expect(await decodedAs(schema, written(schemaOf(), PLAIN_EVENT))).toEqual({
      kind: 'event',
      event: PLAIN_EVENT,
    })
  })

  test('are not decoded from bytes that are not UTF-8', async () => {
    const schema = schemaOf({ transactionId: 'bytes' })
    expect(await problemOf(schema, { ...PLAIN_EVENT, transactionId: Buffer.from([0xff]) })).toContain(
      'transactionId: expected a string of 1 to 256 characters, got bytes that are not UTF-8',
    )
  })
})

describe('time fields', () => {
  test.each([
    ['timestamp-millis', 'long', NOW_MS, NOW_MS],
    ['timestamp-micros', 'long', NOW_MS * 1_000 + 999, NOW_MS],
    ['local-timestamp-millis', 'long', NOW_MS, NOW_MS],
    ['local-timestamp-micros', 'long', NOW_MS * 1_000, NOW_MS],
    ['date', 'int', NOW_MS / DAY_MS, NOW_MS],
  ])('are decoded from %s', async (logicalType, type, amount, expected) => {
    for (const completedAt of [{ type, logicalType }, ['null', { type, logicalType }]]) {
      const schema = schemaOf({ completedAt })
      const value = Array.isArray(completedAt) ? { [type]: amount } : amount
      const body = written(schema, { ...PLAIN_EVENT, completedAt: value })
      expect(await decodedAs(schema, body)).toEqual({
        kind: 'event',
        event: { ...PLAIN_EVENT, completedAt: expected },
      })
    }
  })

  test.each(['timestamp-nanos', 'local-timestamp-nanos'])(
    'are decoded from %s beyond the exact range of a number',
    async (logicalType) => {
      const head = written({ type: 'record', name: 'H', fields: schemaOf().fields.slice(0, 2) }, PLAIN_EVENT)
      const nanos = BigInt(NOW_MS) * 1_000_000n + 123_456_789n
      const schema = schemaOf({ completedAt: { type: 'long', logicalType } })
      const body = Buffer.concat([head, varint(nanos * 2n)])
      expect(await decodedAs(schema, body)).toEqual({
        kind: 'event',
        event: { ...PLAIN_EVENT, completedAt: NOW_MS + 123 },
      })
    },
  )

  test.each([
    [
      "Debezium's microseconds",
      { type: 'long', 'connect.name': 'io.debezium.time.MicroTimestamp' },
      NOW_MS * 1_000,
    ],
    ["Connect's timestamp", { ...TIME, 'connect.name': 'org.apache.kafka.connect.data.Timestamp' }, NOW_MS],
    ['a plain long', 'long', NOW_MS],
    ['a double without a fraction', 'double', NOW_MS],
    ['text with a time zone', 'string', '2026-01-01T00:00:00Z'],
  ])('are decoded from %s', async (_, completedAt, amount) => {
    const schema = schemaOf({ completedAt })
    const body = written(schema, { ...PLAIN_EVENT, completedAt: amount })
    expect(await decodedAs(schema, body)).toEqual({ kind: 'event', event: PLAIN_EVENT })
  })

  test.each([
    ['null', ['null', 'long'], null, 'got null'],
    ['an int of seconds', 'int', NOW_MS / 1_000, 'got a time before 2015; it looks like seconds'],
    [
      'a long of microseconds',
      'long',
      NOW_MS * 1_000,
      'got a time more than a day ahead; it looks like microseconds',
    ],
    ['a float', 'float', 1.5, 'got a float, which is not exact enough'],
    ['a double with a fraction', 'double', NOW_MS + 0.5, 'got a number with a fraction'],
    ['a time of day', { type: 'int', logicalType: 'time-millis' }, 7, 'got a time of day without a date'],
    ['a boolean', 'boolean', true, 'got a boolean'],
  ])('are rejected if they are %s', async (_, completedAt, amount, found) => {
    expect(await problemOf(schemaOf({ completedAt }), { ...PLAIN_EVENT, completedAt: amount })).toBe(
      `invalid-event: completedAt: expected milliseconds since 1970 as an integer, ${found}.`,
    )
  })
})
