import { describe, expect, test } from 'vitest'
import type { Decoded, ForeignKind, Undecodable } from '../../../../src/ports.ts'
import {
  decoding,
  EVENT,
  json,
  NOW_MS,
  registered,
  registryOf,
  decodedKind,
  wire,
} from '../../../support/event-decoder.ts'
import { headersOf } from '../../../support/headers.ts'

const OTHERS = { productCode: null, docType: null, passed: null, subCode: null }
const MINIMAL = { transactionId: 't1', merchantBizId: 'b1', completedAt: NOW_MS, ...OTHERS }
const BOM = Buffer.from([0xef, 0xbb, 0xbf])
const JSON_SCHEMA = registered({ type: 'object' }, 'JSON')

function framed(schemaType: string, body: Buffer): Promise<Decoded | null> {
  return decoding(registryOf({ 9: registered({ type: 'object' }, schemaType) })).decoded(wire(9, body))
}

function messageOf(decoded: Decoded | null): string {
  return decoded === null || decoded.kind === 'event' ? '' : decoded.message
}

describe('JSON events', () => {
  test.each([
    ['behind a byte order mark', BOM],
    ['behind a newline', Buffer.from('\n')],
    ['behind blanks, tabs and line ends', Buffer.from(' \t\r\n ')],
    ['behind a byte order mark and white space', Buffer.concat([BOM, Buffer.from(' \n')])],
  ])('are decoded %s', (_, before) => {
    const value = Buffer.concat([before, json(), Buffer.from('\n')])
    expect(decoding().decode(value)).toEqual({ kind: 'event', event: EVENT })
  })

  test.each([
    ['', Buffer.alloc(0)],
    [' behind white space', Buffer.from('\n')],
  ])('are decoded in the framing of a JSON Schema serializer%s', async (_, before) => {
    expect(await framed('JSON', Buffer.concat([before, json()]))).toEqual({ kind: 'event', event: EVENT })
  })

  test('are decoded as the payload of a Kafka Connect converter', () => {
    const value = json({ schema: { type: 'struct' }, payload: EVENT })
    expect(decoding().decode(value)).toEqual({ kind: 'event', event: EVENT })
  })

  test.each([
    ['snake case', { transaction_id: 't1', merchant_biz_id: 'b1', completed_at: NOW_MS }],
    ['capitals', { TRANSACTIONID: 't1', MERCHANTBIZID: 'b1', COMPLETEDAT: NOW_MS }],
    ['a mixture', { transactionId: 't1', MERCHANT_BIZ_ID: 'b1', completedat: NOW_MS }],
  ])('are decoded with field names in %s', (_, fields) => {
    expect(decoding().decode(json(fields))).toEqual({ kind: 'event', event: MINIMAL })
  })

  test('are decoded by the exact field name if there are two spellings, and rejected if neither is exact', () => {
    const both = { ...MINIMAL, transaction_id: 'other' }
    expect(decoding().decode(json(both))).toEqual({ kind: 'event', event: MINIMAL })
    const { transactionId, ...rest } = both
    const twice = { ...rest, TransactionId: transactionId }
    expect(decoding().decode(json(twice))).toMatchObject({ code: 'invalid-event' })
  })

  test('are reported as malformed if the framing of a JSON Schema serializer contains invalid JSON', async () => {
    expect(await framed('JSON', json().subarray(0, -1))).toMatchObject({ code: 'malformed-json' })
    expect(await framed('JSON', Buffer.from('7'))).toMatchObject({ foreign: 'unrelated-json' })
  })
})

function at(completedAt: unknown): Decoded {
  return decoding().decode(json({ ...MINIMAL, completedAt })) as Decoded
}

describe('the time of a JSON event', () => {
  test.each([
    ['2026-01-01T00:00:00Z', NOW_MS],
    ['2026-01-01T00:00:00.123456789Z', NOW_MS + 123],
    ['2026-01-01T08:00:00+08:00', NOW_MS],
    ['2025-12-31T19:00:00.5-0500', NOW_MS + 500],
    ['2026-01-01T01:00+01', NOW_MS],
    ['2026-01-01 00:00:00,25z', NOW_MS + 250],
  ])('is read from %s', (text, expected) => {
    expect(at(text)).toEqual({ kind: 'event', event: { ...MINIMAL, completedAt: expected } })
  })

  test.each([
    '2026-01-01T00:00:00',
    '2026-01-01',
    '2025-02-30T00:00:00Z',
    '2025-13-01T00:00:00Z',
    '2026-01-01T25:00:00Z',
    'Thu, 01 Jan 2026 00:00:00 GMT',
    '1767225600000',
    '',
  ])('is not guessed from %j', (text) => {
    expect(at(text)).toMatchObject({ code: 'invalid-event' })
    expect(messageOf(at(text))).toBe(
      'completedAt: expected milliseconds since 1970 as an integer, got a string that is not an ISO 8601 time with a time zone.',
    )
  })

  test.each([
    [NOW_MS / 1000, 'got a time before 2015; it looks like seconds'],
    [NOW_MS * 1_000, 'got a time more than a day ahead; it looks like microseconds'],
    [NOW_MS * 1_000_000, 'got a time more than a day ahead; it looks like nanoseconds'],
    [NOW_MS * 500, 'got a time more than a day ahead'],
    [0, 'got a time before 2015'],
    [-1, 'got a time before 2015'],
    [Date.UTC(2014, 11, 31), 'got a time before 2015'],
    [NOW_MS + 86_400_001, 'got a time more than a day ahead'],
    [NOW_MS / 1000 + 0.123, 'got a number with a fraction'],
    [null, 'got null'],
    [undefined, 'got nothing: there is no such field'],
    [true, 'got a boolean'],
    [[2026, 1, 1], 'got a list'],
    [{ seconds: 1 }, 'got an object'],
  ])('is rejected if it is %j', (value, found) => {
    expect(at(value)).toMatchObject({ code: 'invalid-event' })
    expect(messageOf(at(value))).toBe(
      `completedAt: expected milliseconds since 1970 as an integer, ${found}.`,
    )
  })
})

test('a message names each invalid field with the expected and actual type', () => {
  const value = json({
    transactionId: '',
    merchantBizId: 7,
    docType: 'x'.repeat(257),
    passed: true,
    subCode: '\ud800',
  })
  const text = 'expected a string of'
  expect(messageOf(decoding().decode(value) as Decoded)).toBe(
    [
      `transactionId: ${text} 1 to 256 characters, got an empty one`,
      `merchantBizId: ${text} 1 to 256 characters, got an integer`,
      'completedAt: expected milliseconds since 1970 as an integer, got nothing: there is no such field',
      `docType: ${text} 0 to 256 characters, got a longer one`,
      `passed: ${text} 0 to 256 characters, got a boolean`,
      `subCode: ${text} 0 to 256 characters, got one that is not valid Unicode.`,
    ].join('; '),
  )
})

function bigEndian(bytes: Buffer, width: 2 | 4): Buffer {
  return width === 2 ? Buffer.from(bytes).swap16() : Buffer.from(bytes).swap32()
}

function after(start: readonly number[], rest: Buffer): Buffer {
  return Buffer.concat([Buffer.from(start), rest])
}

describe('a known but unsupported format', () => {
  const utf16 = Buffer.from(JSON.stringify(EVENT), 'utf16le')
  const utf32 = Buffer.from([...JSON.stringify(EVENT)].flatMap((one) => [one.charCodeAt(0), 0, 0, 0]))
  test.each<[string, Buffer]>([
    ['UTF-16', after([0xff, 0xfe], utf16)],
    ['UTF-16', after([0xfe, 0xff], bigEndian(utf16, 2))],
    ['UTF-16', utf16],
    ['UTF-16', bigEndian(utf16, 2)],
    ['UTF-32', after([0xff, 0xfe, 0, 0], utf32)],
    ['UTF-32', after([0, 0, 0xfe, 0xff], bigEndian(utf32, 4))],
    ['UTF-32', utf32],
    ['GUID', after([1], Buffer.alloc(30, 7))],
    ['Glue', after([3, 0], Buffer.alloc(30, 7))],
    ['single-object', after([0xc3, 1], Buffer.alloc(30, 7))],
    ['container file', after([0x4f, 0x62, 0x6a, 1], Buffer.alloc(30, 7))],
  ])('is reported by name: %s', (name, value) => {
    const decoded = decoding().decode(value) as Decoded
    expect(decoded).toMatchObject({ kind: 'undecodable', code: 'unsupported-format' })
    expect(messageOf(decoded)).toContain(name)
  })

  test('is reported if the schema id is in a header', () => {
    const headers = headersOf({ __value_schema_id: '\u0001 a GUID' })
    const decoded = decoding().decode(Buffer.from([16, 1, 2, 3]), headers) as Decoded
    expect(decoded).toMatchObject({ code: 'unsupported-format' })
    expect(messageOf(decoded)).toContain('header __value_schema_id')
    expect(decoding().decode(json(), headers)).toMatchObject({ kind: 'event' })
  })

  test.each([
    ['PROTOBUF', 'Protobuf'],
    ['THRIFT', 'of type THRIFT'],
  ])('is reported by name for a schema of type %s', async (schemaType, name) => {
    const decoded = await framed(schemaType, Buffer.from([0, 1, 2]))
    expect(decoded).toMatchObject({ code: 'unsupported-format' })
    expect(messageOf(decoded)).toBe(`The schema with id 9 is ${name}. Events are read from Avro and JSON.`)
  })

  test.each([
    ['XML', Buffer.from('<event><transactionId>t1</transactionId></event>')],
    ['JSON in a string', json(JSON.stringify(EVENT))],
    ['a list of events', json([EVENT])],
    ['a query string', Buffer.from('merchant_biz_id=b1')],
  ])('is reported for %s with field names of an event', (_, value) => {
    expect(decoding().decode(value)).toMatchObject({ code: 'unsupported-format' })
  })
})

describe('a foreign record', () => {
  test.each<[ForeignKind, string, Buffer | null]>([
    ['tombstone', 'without a value', null],
    ['unknown-format', 'text', Buffer.from('heartbeat')],
    ['unknown-format', 'bytes', Buffer.from([8, 150, 1])],
    ['unknown-format', 'a list', json([1, 2])],
    ['unrelated-json', 'JSON of somebody else', json({ id: 7, name: 'fictitious' })],
    ['unrelated-json', "Kafka Connect's null", json({ schema: null, payload: null })],
    ['unrelated-json', 'an empty object', json({})],
  ])('is classified as %s: %s', (kind, _, value) => {
    expect(decodedKind(decoding().decode(value) as Decoded)).toBe(kind)
  })

  test.each<[Undecodable, Buffer]>([
    ['invalid-event', json({ passed: 'Y' })],
    ['invalid-event', json({ transaction_id: 't1' })],
    ['malformed-json', Buffer.from('{"type":"heartbeat"')],
  ])('is reported as %s instead if it has some of our fields or cannot be read', (code, value) => {
    expect(decodedKind(decoding().decode(value) as Decoded)).toBe(code)
  })
})

test('a schema or reference that the registry does not have is named', async () => {
  const { decoded, registry } = decoding(registryOf({ 9: JSON_SCHEMA }))
  expect(messageOf(await decoded(wire(8, json())))).toBe('The schema registry has no schema with id 8.')
  const missing = { kind: 'not-found', missing: { subject: 'person-value', version: 3 } } as const
  registry.next.push(missing, missing)
  const answer = await decoded(wire(7, json()))
  expect(answer).toMatchObject({ kind: 'undecodable', code: 'unknown-schema' })
  expect(messageOf(answer)).toBe(
    'The schema with id 7 refers to version 3 of the subject person-value, which the schema registry does not have.',
  )
})
