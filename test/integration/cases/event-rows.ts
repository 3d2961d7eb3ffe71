/** Records that producers send and that differ from our event, with the expected outcome. */
import type { Message } from 'kafkajs'
import { schemaOf, TIME, varint, written } from '../../support/avro-events.ts'

const AT_MS = Date.UTC(2026, 0, 1)
/** Must not appear in the log. */
export const MARK = 'ZQXJKVPERSON'

export type Expected =
  | { readonly kind: 'result'; readonly completedAt: number }
  | { readonly kind: 'dead-letter'; readonly code: string; readonly message: RegExp }
  | { readonly kind: 'skipped'; readonly as: string }

export interface Case {
  readonly row: string
  readonly about: string
  readonly message: (ids: SchemaIds, transactionId: string) => Message
  readonly expected: Expected
}

export type SchemaIds = Readonly<Record<keyof typeof SCHEMAS | 'json' | 'protobuf' | 'broken', number>>

const RESULT: Expected = { kind: 'result', completedAt: AT_MS }
const NULLABLE = schemaOf(
  {
    transactionId: ['null', 'string'],
    merchantBizId: ['null', 'string'],
    completedAt: ['null', TIME],
  },
  'Nullable',
)

const JAVA_STRING = { type: 'string', 'avro.java.string': 'String' }
const OURS = schemaOf({}, 'VerificationCompleted')

export const SCHEMAS = {
  connect: { ...schemaOf({}, 'ConnectDefault'), namespace: 'io.confluent.connect.avro' },
  ksql: { ...schemaOf({}, 'KsqlDataSourceSchema'), namespace: 'io.confluent.ksql.avro_schemas' },
  bare: OURS,
  nullable: NULLABLE,
  root: ['null', { ...NULLABLE, name: 'Root' }],
  micros: schemaOf({ completedAt: { type: 'long', logicalType: 'timestamp-micros' } }, 'Micros'),
  date: schemaOf({ completedAt: { type: 'int', logicalType: 'date' } }, 'Day'),
  defaults: {
    ...OURS,
    name: 'Defaults',
    fields: [...OURS.fields, { name: 'note', type: ['null', JAVA_STRING], default: '' }],
  },
  list: {
    ...OURS,
    name: 'checkresult.stream.VerificationCompleted',
    fields: [{ name: 'tags', type: { type: 'array', items: 'string' } }, ...OURS.fields],
  },
  other: { type: 'record', name: 'Heartbeat', fields: [{ name: 'at', type: 'long' }] },
} as const

/**
 * Registers all schemas, also JSON Schema and Protobuf. `broken` refers to a schema `gone` that the registry does not
 * have.
 */
export async function registerAll(registryUrl: string, prefix: string): Promise<SchemaIds> {
  const register = async (name: string, body: object): Promise<number> => {
    const answer = await fetch(`${registryUrl}/subjects/${name}-${prefix}/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify(body),
    })
    const { id } = (await answer.json()) as { id?: number }
    if (id === undefined) throw new Error(`The registry rejected ${name}: HTTP ${answer.status}.`)
    return id
  }
  const ids: [string, number][] = []
  for (const [name, schema] of Object.entries(SCHEMAS)) {
    ids.push([name, await register(name, { schema: JSON.stringify(schema) })])
  }
  const gone = JSON.stringify({ type: 'record', name: 'Gone', fields: [] })
  await register('gone', { schema: gone })
  const references = [{ name: 'Gone', subject: `gone-${prefix}`, version: 1 }]
  const broken = { ...OURS, name: 'Broken', fields: [...OURS.fields, { name: 'gone', type: 'Gone' }] }
  return {
    ...(Object.fromEntries(ids) as SchemaIds),
    json: await register('json', {
      schemaType: 'JSON',
      schema: '{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}',
    }),
    protobuf: await register('protobuf', {
      schemaType: 'PROTOBUF',
      schema: 'syntax = "proto3"; message Event { string transaction_id = 1; }',
    }),
    broken: await register('broken', { schema: JSON.stringify(broken), references }),
  }
}

function eventOf(transactionId: string, completedAt: unknown = AT_MS) {
  return { transactionId, merchantBizId: 'b1', completedAt }
}

function json(transactionId: string, completedAt?: unknown): Buffer {
  return Buffer.from(JSON.stringify(eventOf(transactionId, completedAt)))
}

function framed(id: number, body: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeInt32BE(id, 1)
  return Buffer.concat([head, body])
}

function avro(
  name: keyof typeof SCHEMAS,
  value: (transactionId: string) => unknown = eventOf,
): Case['message'] {
  return (ids, id) => ({ key: id, value: framed(ids[name], written(SCHEMAS[name], value(id))) })
}

function text(value: (transactionId: string) => Buffer | null): Case['message'] {
  return (_, id) => ({ key: id, value: value(id) })
}

function wrapped(id: string): unknown {
  return { transactionId: { string: id }, merchantBizId: { string: 'b1' }, completedAt: { long: AT_MS } }
}

function invalid(message: RegExp): Expected {
  return { kind: 'dead-letter', code: 'invalid-event', message }
}

function behind(start: string): Case['message'] {
  return text((id) => Buffer.concat([Buffer.from(start), json(id)]))
}

export const CASES: readonly Case[] = [
  { row: 'R4', about: 'JSON after a byte order mark', message: behind('\ufeff'), expected: RESULT },
  { row: 'R4', about: 'JSON after white space', message: behind('\r\n\t '), expected: RESULT },
  {
    row: 'R4',
    about: 'JSON in UTF-16',
    message: text((id) => Buffer.from(`\ufeff${json(id).toString()}`, 'utf16le')),
    expected: { kind: 'dead-letter', code: 'unsupported-format', message: /UTF-16/ },
  },
  {
    row: 'R5',
    about: 'the framing of a JSON Schema serializer',
    message: (ids, id) => ({ key: id, value: framed(ids.json, json(id)) }),
    expected: RESULT,
  },
  {
    row: 'R5',
    about: 'the framing of a Protobuf serializer',
    message: (ids, id) => ({ key: id, value: framed(ids.protobuf, Buffer.from([0, 10, 2, 116, 49])) }),
    expected: { kind: 'dead-letter', code: 'unsupported-format', message: /is Protobuf/ },
  },
  {
    row: 'R5',
    about: 'the framing with a GUID',
    message: text(() => Buffer.concat([Buffer.from([1]), Buffer.alloc(40, 7)])),
    expected: { kind: 'dead-letter', code: 'unsupported-format', message: /GUID of a schema/ },
  },
  { row: 'R6', about: 'the record name of Kafka Connect', message: avro('connect'), expected: RESULT },
  { row: 'R6', about: 'the record name of ksqlDB', message: avro('ksql'), expected: RESULT },
  { row: 'R6', about: 'our record name without its namespace', message: avro('bare'), expected: RESULT },
  { row: 'R7', about: 'nullable fields with values', message: avro('nullable', wrapped), expected: RESULT },
  {
    row: 'R7',
    about: 'a nullable root',
    message: avro('root', (id) => ({ Root: wrapped(id) })),
    expected: RESULT,
  },
  {
    row: 'R7',
    about: 'null for the transaction',
    message: avro('nullable', (id) => ({ ...(wrapped(id) as object), transactionId: null })),
    expected: invalid(/^transactionId: expected a string of 1 to 256 characters, got null\.$/),
  },
  {
    row: 'R8',
    about: 'Avro microseconds',
    message: avro('micros', (id) => eventOf(id, AT_MS * 1_000 + 999)),
    expected: RESULT,
  },
  {
    row: 'R8',
    about: 'an Avro date',
    message: avro('date', (id) => eventOf(id, AT_MS / 86_400_000)),
    expected: RESULT,
  },
  {
    row: 'R8',
    about: 'JSON seconds',
    message: text((id) => json(id, AT_MS / 1_000)),
    expected: invalid(
      /^completedAt: expected milliseconds since 1970 as an integer, .* looks like seconds\.$/,
    ),
  },
  {
    row: 'R8',
    about: 'JSON microseconds',
    message: text((id) => json(id, AT_MS * 1_000)),
    expected: invalid(/^completedAt: expected milliseconds .* looks like microseconds\.$/),
  },
  {
    row: 'R8',
    about: 'a JSON time as text with its zone',
    message: text((id) => json(id, '2026-01-01T08:00:00+08:00')),
    expected: RESULT,
  },
  {
    row: 'R8',
    about: 'a JSON time as text without its zone',
    message: text((id) => json(id, `2026-01-01T00:00:00 ${MARK}`)),
    expected: invalid(/got a string that is not an ISO 8601 time/),
  },
  {
    row: 'R9',
    about: 'a default that avsc rejects',
    message: (ids, id) => ({
      key: id,
      value: framed(ids.defaults, Buffer.concat([written(OURS, eventOf(id)), Buffer.from([0])])),
    }),
    expected: RESULT,
  },
  {
    row: 'R9',
    about: 'a count of 100 million items that do not follow',
    message: (ids, id) => ({
      key: id,
      value: framed(ids.list, Buffer.concat([varint(200_000_000n), written(OURS, eventOf(id))])),
    }),
    expected: { kind: 'dead-letter', code: 'malformed-avro', message: /does not match its schema/ },
  },
  {
    row: 'S3',
    about: 'a schema whose reference the registry does not have',
    message: (ids, id) => ({ key: id, value: framed(ids.broken, written(OURS, eventOf(id))) }),
    expected: {
      kind: 'dead-letter',
      code: 'unknown-schema',
      message: /refers to version 1 of the subject gone-/,
    },
  },
  {
    row: 'R10',
    about: 'an unrelated Avro record',
    message: avro('other', () => ({ at: 1 })),
    expected: { kind: 'skipped', as: 'wrong-schema' },
  },
  {
    row: 'R10',
    about: 'a tombstone',
    message: text(() => null),
    expected: { kind: 'skipped', as: 'tombstone' },
  },
  {
    row: 'R10',
    about: 'another framing',
    message: text(() => Buffer.from([8, 150, 1, 18])),
    expected: { kind: 'skipped', as: 'unknown-format' },
  },
  {
    row: 'R10',
    about: 'unrelated JSON',
    message: text(() => Buffer.from('{"heartbeat":1}')),
    expected: { kind: 'skipped', as: 'unrelated-json' },
  },
  {
    row: 'R11',
    about: 'an event without a key',
    message: (_, id) => ({ value: json(id) }),
    expected: RESULT,
  },
  {
    row: 'R11',
    about: 'an event with another key',
    message: (_, id) => ({ key: 'b1', value: json(id) }),
    expected: RESULT,
  },
  ...['0', '1', '-1'].map((timestamp) => ({
    row: 'R14',
    about: `the record timestamp ${timestamp}`,
    message: (_: SchemaIds, id: string): Message => ({ key: id, value: json(id), timestamp }),
    expected: RESULT,
  })),
]
