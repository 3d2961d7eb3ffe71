/** Schemas that producers could have registered: variations of the event schema, and unrelated ones. */
import avsc, { type Type } from 'avsc'
import { schemaJson } from '../../src/adapters/registry/schemas.ts'
import type { VerificationCompleted } from '../../src/core/records/schema-types.ts'
import { CANARY } from './events.ts'

interface Field {
  readonly name: string
  readonly type: unknown
  readonly default?: unknown
}

interface RecordSchema {
  readonly type: 'record'
  readonly name: string
  readonly namespace?: string
  readonly fields: readonly Field[]
}

/** The meaning of a value of the variation: an event, a foreign record, or not specified. */
export type Meaning = 'event' | 'foreign' | 'unclear'

interface Variation {
  readonly name: string
  readonly meaning: Meaning
  /** As registered. */
  readonly schema: unknown
  /** A schema for the encoder with the same bytes, if it rejects a schema that registries accept. */
  readonly writer?: unknown
  readonly value?: (event: VerificationCompleted) => unknown
  /** The event that the service reads, if it differs from the original. */
  readonly read?: (event: VerificationCompleted) => VerificationCompleted
}

const OURS = JSON.parse(schemaJson('verification-completed')) as RecordSchema
const MICROS = 1_000
const DAY_MS = 86_400_000

const plain = (name: string, type: unknown): Field => ({ name, type })
const TEXTS = ['transactionId', 'merchantBizId', 'productCode', 'docType', 'passed', 'subCode'] as const

function record(name: string, fields: readonly Field[], namespace?: string): RecordSchema {
  return namespace === undefined
    ? { type: 'record', name, fields }
    : { type: 'record', name, namespace, fields }
}

function withTime(type: unknown): RecordSchema {
  return {
    ...OURS,
    fields: OURS.fields.map((field) => (field.name === 'completedAt' ? { ...field, type } : field)),
  }
}

const nullable = (field: Field): Field =>
  Array.isArray(field.type) ? field : { name: field.name, type: ['null', field.type], default: null }

const EXTRA: readonly Field[] = [
  plain('extraList', { type: 'array', items: 'string' }),
  plain('extraMap', { type: 'map', values: ['null', 'long'] }),
  plain('extraFixed', { type: 'fixed', name: 'Four', size: 4 }),
  plain('extraEnum', { type: 'enum', name: 'Color', symbols: ['RED', 'GREEN'] }),
  plain('extraRecord', record('Inner', [plain('name', 'string'), plain('amount', 'double')])),
  plain('extraAmount', { type: 'bytes', logicalType: 'decimal', precision: 8, scale: 2 }),
]
const extraValues = {
  extraList: [CANARY, ''],
  extraMap: { [CANARY]: 7, constructor: null },
  extraFixed: Buffer.from([0, 1, 2, 255]),
  extraEnum: 'GREEN',
  extraRecord: { name: CANARY, amount: Number.NaN },
  extraAmount: Buffer.from([1, 2]),
}

const JAVA_STRING = { type: 'string', 'avro.java.string': 'String' }
const withDefault = (field: Field, type: unknown, fallback: unknown): Field => ({
  name: field.name,
  type,
  default: fallback,
})
const isOptional = ({ type }: Field): boolean => Array.isArray(type)

const VARIATIONS: readonly Variation[] = [
  { name: 'ours', meaning: 'event', schema: OURS },
  { name: 'without-namespace', meaning: 'event', schema: record('VerificationCompleted', OURS.fields) },
  {
    name: 'connect',
    meaning: 'event',
    schema: record('ConnectDefault', OURS.fields, 'io.confluent.connect.avro'),
  },
  {
    name: 'ksql',
    meaning: 'event',
    schema: record('KsqlDataSourceSchema', OURS.fields.map(nullable), 'io.confluent.ksql.avro_schemas'),
  },
  { name: 'reversed', meaning: 'event', schema: record('Reversed', OURS.fields.toReversed()) },
  {
    name: 'nullable-last',
    meaning: 'event',
    schema: record(
      'NullableLast',
      OURS.fields.map((field) =>
        isOptional(field) ? plain(field.name, ['string', 'null']) : plain(field.name, [field.type, 'null']),
      ),
    ),
  },
  { name: 'root-union', meaning: 'event', schema: ['null', OURS] },
  {
    name: 'root-union-null',
    meaning: 'unclear',
    schema: ['null', OURS],
    value: () => null,
  },
  {
    name: 'micros',
    meaning: 'event',
    schema: withTime({ type: 'long', logicalType: 'timestamp-micros' }),
    value: (event) => ({ ...event, completedAt: event.completedAt * MICROS }),
  },
  { name: 'plain-long', meaning: 'event', schema: withTime('long') },
  {
    name: 'date',
    meaning: 'unclear',
    schema: withTime({ type: 'int', logicalType: 'date' }),
    value: (event) => ({ ...event, completedAt: Math.floor(event.completedAt / DAY_MS) }),
  },
  {
    name: 'time-as-text',
    meaning: 'unclear',
    schema: withTime('string'),
    value: (event) => ({ ...event, completedAt: new Date(event.completedAt).toISOString() }),
  },
  { name: 'time-as-double', meaning: 'unclear', schema: withTime('double') },
  {
    name: 'extra-fields',
    meaning: 'event',
    schema: record('ExtraFields', [...EXTRA, ...OURS.fields]),
    value: (event) => ({ ...extraValues, ...event }),
  },
  {
    name: 'required-only',
    meaning: 'event',
    schema: record(
      'RequiredOnly',
      OURS.fields.filter((field) => !isOptional(field)),
    ),
    read: (event) => ({ ...event, productCode: null, docType: null, passed: null, subCode: null }),
  },
  {
    name: 'java-strings',
    meaning: 'event',
    schema: record(
      'JavaStrings',
      OURS.fields.map((field) =>
        field.type === 'string'
          ? plain(field.name, JAVA_STRING)
          : isOptional(field)
            ? withDefault(field, ['null', JAVA_STRING], null)
            : field,
      ),
    ),
  },
  {
    name: 'default-of-another-branch',
    meaning: 'event',
    schema: record(
      'OddDefault',
      OURS.fields.map((field) => (isOptional(field) ? withDefault(field, ['null', JAVA_STRING], '') : field)),
    ),
    writer: record(
      'OddDefault',
      OURS.fields.map((field) => (isOptional(field) ? plain(field.name, ['null', JAVA_STRING]) : field)),
    ),
  },
  {
    name: 'nulls-where-required',
    meaning: 'unclear',
    schema: record('Nulls', OURS.fields.map(nullable)),
    value: (event) => ({ ...event, merchantBizId: null }),
  },
  {
    name: 'without-business-id',
    meaning: 'unclear',
    schema: { ...OURS, fields: OURS.fields.filter(({ name }) => name !== 'merchantBizId') },
  },
  {
    name: 'texts-as-bytes',
    meaning: 'unclear',
    schema: record(
      'Bytes',
      OURS.fields.map((field) => (field.name === 'completedAt' ? field : plain(field.name, 'bytes'))),
    ),
    value: (event) => ({
      ...event,
      ...Object.fromEntries(TEXTS.map((name) => [name, Buffer.from(event[name] ?? '')])),
    }),
  },
  {
    name: 'numbers-for-ids',
    meaning: 'unclear',
    schema: record(
      'Numbers',
      OURS.fields.map((field) => (field.type === 'string' ? plain(field.name, 'long') : field)),
    ),
    value: (event) => ({ ...event, transactionId: 7, merchantBizId: -1 }),
  },
  {
    name: 'heartbeat',
    meaning: 'foreign',
    schema: record('Heartbeat', [plain('at', 'long'), plain('from', 'string')], 'other.system'),
    value: () => ({ at: 1, from: CANARY }),
  },
  {
    name: 'tree',
    meaning: 'foreign',
    schema: record('Tree', [plain('label', 'string'), plain('below', { type: 'array', items: 'Tree' })]),
    value: () => tree(40),
  },
  { name: 'text', meaning: 'unclear', schema: 'string', value: () => CANARY },
  { name: 'number', meaning: 'unclear', schema: 'long', value: () => 7 },
  { name: 'nothing', meaning: 'unclear', schema: 'null', value: () => null },
  {
    name: 'map',
    meaning: 'unclear',
    schema: { type: 'map', values: 'string' },
    value: (event) => ({ transactionId: event.transactionId, __proto__2: CANARY }),
  },
]

function tree(depth: number): unknown {
  return { label: CANARY, below: depth === 0 ? [] : [tree(depth - 1)] }
}

export interface AvroVariation {
  readonly name: string
  readonly meaning: Meaning
  readonly id: number
  readonly encode: (event: VerificationCompleted) => Buffer
  readonly read: (event: VerificationCompleted) => VerificationCompleted
}

export interface Registered {
  readonly avro: readonly AvroVariation[]
  readonly ours: AvroVariation
  readonly jsonSchemaId: number
  readonly protobufId: number
}

const JSON_SCHEMA = {
  type: 'object',
  title: 'VerificationCompleted',
  properties: Object.fromEntries(TEXTS.map((name) => [name, { type: ['string', 'null'] }])),
}
const PROTOBUF = 'syntax = "proto3";\nmessage Other {\n  string name = 1;\n}\n'

const unchanged = (event: VerificationCompleted): VerificationCompleted => event

/** Each has its own subject, so no compatibility rule rejects it. */
export async function registerVariations(registryUrl: string, prefix: string): Promise<Registered> {
  const avro: AvroVariation[] = []
  for (const { name, meaning, schema, writer = schema, value = unchanged, read = unchanged } of VARIATIONS) {
    const id = await register(registryUrl, `${prefix}-${name}`, { schema: JSON.stringify(schema) })
    const type: Type = avsc.Type.forSchema(writer as avsc.Schema, { wrapUnions: false })
    avro.push({ name, meaning, id, encode: (event) => type.toBuffer(value(event)), read })
  }
  const [ours] = avro
  if (ours === undefined) throw new Error('No variations of the schema were registered.')
  const jsonSchemaId = await register(registryUrl, `${prefix}-json`, {
    schema: JSON.stringify(JSON_SCHEMA),
    schemaType: 'JSON',
  })
  const protobufId = await register(registryUrl, `${prefix}-protobuf`, {
    schema: PROTOBUF,
    schemaType: 'PROTOBUF',
  })
  return { avro, ours, jsonSchemaId, protobufId }
}

async function register(
  registryUrl: string,
  subject: string,
  body: { readonly schema: string; readonly schemaType?: string },
): Promise<number> {
  const response = await fetch(`${registryUrl}/subjects/${encodeURIComponent(subject)}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`The registry rejected ${subject}: ${await response.text()}`)
  const { id } = (await response.json()) as { id: number }
  return id
}
