import avsc, { type Schema } from 'avsc'
import { describe, expect, test } from 'vitest'
import { decodedAs, problemOf, PLAIN_EVENT, schemaOf, TIME, written } from '../../../support/avro-events.ts'
import {
  decoding,
  NOW_MS,
  OURS,
  registered,
  registryOf,
  decodedKind,
  wire,
} from '../../../support/event-decoder.ts'

describe('a writer schema', () => {
  test('is accepted with defaults, orders and names that avsc rejects', async () => {
    const javaString = { type: 'string', 'avro.java.string': 'String' }
    const fields = [
      { name: 'transactionId', type: javaString, order: 'whenever' },
      { name: 'merchantBizId', type: ['null', javaString], default: '' },
      { name: 'completedAt', type: TIME, default: 'now' },
      { name: 'kind', type: { type: 'enum', name: 'kind-of', symbols: ['A'], default: 'B' }, aliases: [7] },
    ]
    const schema = { type: 'record', name: 'call-back', namespace: 'a-b', fields }
    expect(() => avsc.Type.forSchema(schema as Schema)).toThrow(/invalid/)
    const body = Buffer.concat([
      written('string', 'hkstest1'),
      written(['null', 'string'], { string: 'biz1' }),
      written('long', NOW_MS),
      Buffer.from([0]),
    ])
    expect(await decodedAs(schema, body)).toEqual({ kind: 'event', event: PLAIN_EVENT })
  })

  test('is resolved with its references', async () => {
    const id = { type: 'enum', name: 'Id', namespace: 'shared', symbols: ['hkstest1'] }
    const schema = schemaOf({ transactionId: 'shared.Id' })
    const held = { ...registered(schema), referenced: [JSON.stringify(id)] }
    const value = Buffer.concat([Buffer.from([0]), written('string', 'biz1'), written('long', NOW_MS)])
    const { decoded: read } = decoding(registryOf({ 3: held }))
    expect(await read(wire(3, value))).toEqual({ kind: 'event', event: PLAIN_EVENT })
  })

  test.each([
    ['the type Missing is not defined', schemaOf({ transactionId: 'Missing' })],
    ['the record Callback has no list of fields', { type: 'record', name: 'Callback' }],
    [
      'a field of the record Callback has no name',
      { type: 'record', name: 'Callback', fields: [{ type: 'int' }] },
    ],
    ['a record, an enum or a fixed has no name', { type: 'record', fields: [] }],
    ['an enum has no list of symbols', { type: 'enum', name: 'E' }],
    ['a fixed has no size', { type: 'fixed', name: 'F', size: -1 }],
    ['a type is neither a name nor an object nor a list', schemaOf({ transactionId: 7 })],
    [
      'the name R is defined twice',
      [
        { type: 'record', name: 'R', fields: [] },
        { type: 'fixed', name: 'R', size: 1 },
      ],
    ],
  ])('is invalid if %s', async (why, schema) => {
    expect(await decodedAs(schema, Buffer.from([2]))).toEqual({
      kind: 'undecodable',
      code: 'unreadable-schema',
      message: `The schema with id 3 cannot be parsed: ${why}.`,
    })
  })

  test.each([
    ['it is not JSON', 'nonsense'],
    ['it is nested too deeply', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ])('is invalid if %s', async (why, schema) => {
    const { decoded: read } = decoding(registryOf({ 3: { ...OURS, schema } }))
    expect(await read(wire(3, Buffer.from([2])))).toMatchObject({
      code: 'unreadable-schema',
      message: expect.stringContaining(why),
    })
  })

  test('a schema without required fields is an invalid event under our name and foreign under another name', async () => {
    const fields = [{ name: 'docType', type: 'string' }]
    const ours = { type: 'record', name: 'x.VerificationCompleted', fields }
    expect(await problemOf(ours, { docType: '01' })).toMatch(/^invalid-event: transactionId: .*no such field/)
    const other = { type: 'record', name: 'Heartbeat', fields }
    expect(decodedKind(await decodedAs(other, written(other, { docType: '01' })))).toBe('wrong-schema')
    expect(decodedKind(await decodedAs('string', written('string', 'x')))).toBe('wrong-schema')
  })

  test('the schema of our own results is foreign although it has all fields of an event', async () => {
    const result = schemaOf({}, 'checkresult.stream.VerificationResult')
    expect(decodedKind(await decodedAs(result, written(result, PLAIN_EVENT)))).toBe('wrong-schema')
  })

  test('a schema with several records is classified value by value', async () => {
    const heartbeat = { type: 'record', name: 'Heartbeat', fields: [{ name: 'at', type: 'long' }] }
    const schema = [heartbeat, schemaOf()]
    expect(decodedKind(await decodedAs(schema, written(schema, { Heartbeat: { at: 1 } })))).toBe(
      'wrong-schema',
    )
    expect(decodedKind(await decodedAs(schema, written(schema, { Callback: PLAIN_EVENT })))).toBe('event')
  })
})
