/**
 * Reads an event from Avro with the schema it was written with, field by field. The name of the record, the order
 * of its fields, nullable fields, unions and logical types may differ, as long as it has our fields. Other fields
 * are skipped.
 */
import { AvroCursor } from './avro-cursor.ts'
import type { AvroRecord, AvroType } from './avro-schema.ts'
import {
  matchNames,
  noFields,
  REQUIRED_FIELDS,
  Unusable,
  type FieldName,
  type FoundFields,
} from './event-fields.ts'

/** `null` means Avro's null, `foreign` a record that is not an event. */
export type AvroFound =
  | { readonly kind: 'fields'; readonly fields: FoundFields }
  | { readonly kind: 'null' }
  | { readonly kind: 'foreign' }

/** Throws a RangeError if the bytes do not match the schema. */
export type ReadAvro = (bytes: Buffer, at: number) => AvroFound

const EVENT_NAME = /(?:^|\.)VerificationCompleted$/
/** Our own output also has all fields of an event. */
const RESULT_NAME = 'checkresult.stream.VerificationResult'

type Step = { readonly type: AvroType; readonly field: FieldName | null }

export function avroReader(schema: AvroType): ReadAvro {
  if (schema.kind !== 'union') {
    const read = branchReader(schema)
    return (bytes, at) => read(new AvroCursor(bytes, at))
  }
  const branches = schema.branches.map(branchReader)
  return (bytes, at) => {
    const cursor = new AvroCursor(bytes, at)
    return cursor.branch(branches)(cursor)
  }
}

/** Whether any value of this schema can be an event. */
export function mayHoldEvents(schema: AvroType): boolean {
  return (schema.kind === 'union' ? schema.branches : [schema]).some(isEvent)
}

function branchReader(type: AvroType): (cursor: AvroCursor) => AvroFound {
  if (type.kind === 'null') return () => ({ kind: 'null' })
  if (!isEvent(type)) return () => ({ kind: 'foreign' })
  const steps = stepsOf(type)
  return (cursor) => {
    const fields = noFields()
    for (const { type: written, field } of steps) {
      if (field === null) cursor.skip(written)
      else fields[field] = field === 'completedAt' ? readTime(cursor, written) : readText(cursor, written)
    }
    if (!cursor.isAtEnd) throw new RangeError('The value goes on behind its last field.')
    return { kind: 'fields', fields }
  }
}

/** Whether the type has our schema's name or one of the fields that every event has. */
function isEvent(type: AvroType): type is AvroRecord {
  if (type.kind !== 'record' || type.name === RESULT_NAME) return false
  if (EVENT_NAME.test(type.name)) return true
  const fields = new Set(matchNames(type.fields.map(({ name }) => name)).values())
  return REQUIRED_FIELDS.some((field) => fields.has(field))
}

function stepsOf({ fields }: AvroRecord): Step[] {
  const matched = matchNames(fields.map(({ name }) => name))
  return fields.map(({ name, type }) => ({ type, field: matched.get(name) ?? null }))
}

/**
 * Returns text if the value was written as text, UTF-8 bytes or an enum symbol. Otherwise an {@link Unusable} that
 * describes it.
 */
function readText(cursor: AvroCursor, type: AvroType): unknown {
  switch (type.kind) {
    case 'string':
    case 'bytes':
      return cursor.text() ?? new Unusable('bytes that are not UTF-8')
    case 'enum':
      return cursor.branch(type.symbols)
    case 'union':
      return readText(cursor, cursor.branch(type.branches))
    default:
      return readOther(cursor, type)
  }
}

const DAY_MS = 86_400_000

/**
 * Converts each time unit of Avro and Debezium to milliseconds. It divides, because multiplying by a fraction is
 * not exact.
 */
const TO_MS: ReadonlyMap<string, (amount: number) => number> = new Map([
  ['timestamp-micros', fromMicros],
  ['local-timestamp-micros', fromMicros],
  ['timestamp-nanos', fromNanos],
  ['local-timestamp-nanos', fromNanos],
  ['date', fromDays],
  ['io.debezium.time.MicroTimestamp', fromMicros],
  ['io.debezium.time.NanoTimestamp', fromNanos],
  ['io.debezium.time.Date', fromDays],
])
const TIME_OF_DAY = /^time-|^io\.debezium\.time\.(?:Micro|Nano)?Time$/

/**
 * Returns milliseconds, treating a local time as UTC, or text unchanged. Otherwise an {@link Unusable} that
 * describes the value.
 */
function readTime(cursor: AvroCursor, type: AvroType): unknown {
  switch (type.kind) {
    case 'int':
    case 'long': {
      const amount = cursor.long()
      if (type.unit !== null && TIME_OF_DAY.test(type.unit))
        return new Unusable('a time of day without a date')
      return TO_MS.get(type.unit ?? '')?.(amount) ?? amount
    }
    case 'double':
      return cursor.double()
    case 'float':
      cursor.skip(type)
      return new Unusable('a float, which is not exact enough')
    case 'string':
      return cursor.text() ?? new Unusable('bytes that are not UTF-8')
    case 'union':
      return readTime(cursor, cursor.branch(type.branches))
    default:
      return readOther(cursor, type)
  }
}

function fromMicros(amount: number): number {
  return Math.floor(amount / 1_000)
}

function fromNanos(amount: number): number {
  return Math.floor(amount / 1_000_000)
}

function fromDays(amount: number): number {
  return amount * DAY_MS
}

const KINDS: Readonly<Record<AvroType['kind'], string>> = {
  null: 'null',
  boolean: 'a boolean',
  int: 'an int',
  long: 'a long',
  float: 'a float',
  double: 'a double',
  bytes: 'bytes',
  string: 'a string',
  fixed: 'a fixed number of bytes',
  enum: 'a symbol of an enum',
  array: 'a list',
  map: 'a map',
  union: 'a union',
  record: 'a record',
}

function readOther(cursor: AvroCursor, type: AvroType): unknown {
  cursor.skip(type)
  return type.kind === 'null' ? null : new Unusable(KINDS[type.kind])
}
