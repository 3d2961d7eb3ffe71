/**
 * Parses the Avro schema a value was written with and keeps only what affects the bytes: types, fields, symbols and
 * units of time. Like Java's reader it ignores defaults, aliases, sort orders and unknown properties, so it accepts
 * schemas that avsc rejects because of them. Throws a {@link SchemaError} that says what is wrong.
 */
export type AvroType =
  | { readonly kind: Primitive; readonly unit: string | null }
  | { readonly kind: 'fixed'; readonly size: number }
  | { readonly kind: 'enum'; readonly symbols: readonly string[] }
  | { readonly kind: 'array'; readonly items: AvroType }
  | { readonly kind: 'map'; readonly values: AvroType }
  | { readonly kind: 'union'; readonly branches: readonly AvroType[] }
  | AvroRecord

export interface AvroRecord {
  readonly kind: 'record'
  /** Includes the namespace. */
  readonly name: string
  readonly fields: readonly AvroField[]
}

export interface AvroField {
  readonly name: string
  readonly type: AvroType
}

/** The message names types and fields of the schema, which contain no personal data. */
export class SchemaError extends Error {}

const PRIMITIVES = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const
type Primitive = (typeof PRIMITIVES)[number]

/** `referenced` are the referenced schemas, each after those that it needs itself. */
export function parseAvroSchema(text: string, referenced: readonly string[] = []): AvroType {
  const names = new Map<string, AvroType>()
  try {
    for (const one of referenced) parse(JSON.parse(one), '', names)
    return parse(JSON.parse(text), '', names)
  } catch (error) {
    if (error instanceof SchemaError) throw error
    throw new SchemaError(error instanceof RangeError ? 'it is nested too deeply' : 'it is not JSON')
  }
}

type Names = Map<string, AvroType>
type Json = Readonly<Record<string, unknown>>

function parse(schema: unknown, namespace: string, names: Names): AvroType {
  if (typeof schema === 'string') return named(schema, namespace, names)
  if (Array.isArray(schema)) {
    return { kind: 'union', branches: schema.map((branch) => parse(branch, namespace, names)) }
  }
  if (!isObject(schema)) throw new SchemaError('a type is neither a name nor an object nor a list')
  const { type } = schema
  switch (type) {
    case 'record':
    case 'error':
      return parseRecord(schema, namespace, names)
    case 'enum':
      return define(schema, namespace, names, { kind: 'enum', symbols: texts(schema['symbols']) })
    case 'fixed':
      return define(schema, namespace, names, { kind: 'fixed', size: sizeOf(schema) })
    case 'array':
      return { kind: 'array', items: parse(schema['items'], namespace, names) }
    case 'map':
      return { kind: 'map', values: parse(schema['values'], namespace, names) }
    default:
      if (isPrimitive(type)) return { kind: type, unit: unitOf(schema) }
      return parse(type, namespace, names)
  }
}

/** The record is registered by name before its fields are parsed, because they may refer to it. */
function parseRecord(schema: Json, namespace: string, names: Names): AvroRecord {
  const name = fullName(schema, namespace)
  const fields: AvroField[] = []
  const record: AvroRecord = { kind: 'record', name, fields }
  define(schema, namespace, names, record)
  if (!Array.isArray(schema['fields'])) throw new SchemaError(`the record ${name} has no list of fields`)
  for (const field of schema['fields'] as readonly unknown[]) {
    if (!isObject(field) || typeof field['name'] !== 'string')
      throw new SchemaError(`a field of the record ${name} has no name`)
    fields.push({ name: field['name'], type: parse(field['type'], namespaceOf(name), names) })
  }
  return record
}

function define<T extends AvroType>(schema: Json, namespace: string, names: Names, type: T): T {
  const name = fullName(schema, namespace)
  if (names.has(name)) throw new SchemaError(`the name ${name} is defined twice`)
  names.set(name, type)
  return type
}

function named(name: string, namespace: string, names: Names): AvroType {
  if (isPrimitive(name)) return { kind: name, unit: null }
  const found = names.get(qualified(name, namespace)) ?? names.get(name)
  if (found === undefined) throw new SchemaError(`the type ${name} is not defined`)
  return found
}

function fullName(schema: Json, enclosing: string): string {
  const { name, namespace } = schema
  if (typeof name !== 'string') throw new SchemaError('a record, an enum or a fixed has no name')
  return qualified(name, typeof namespace === 'string' ? namespace : enclosing)
}

function qualified(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`
}

function namespaceOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('.')))
}

/** Debezium stores its units in a Connect property instead of a logical type. */
function unitOf(schema: Json): string | null {
  const unit = schema['logicalType'] ?? schema['connect.name']
  return typeof unit === 'string' ? unit : null
}

function texts(value: unknown): string[] {
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string'))
    throw new SchemaError('an enum has no list of symbols')
  return value
}

function sizeOf({ size }: Json): number {
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw new SchemaError('a fixed has no size')
  return size
}

function isPrimitive(type: unknown): type is Primitive {
  return PRIMITIVES.some((primitive) => primitive === type)
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
