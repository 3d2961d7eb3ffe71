import { describe, expect, test } from 'vitest'
import { SCHEMA_NAMES, schemaJson } from '../../../src/adapters/registry/schemas.ts'

interface Field {
  readonly name: string
  readonly type: Schema
  readonly doc?: string
  readonly default?: unknown
  readonly 'confluent:tags'?: readonly string[]
}

type Schema =
  | string
  | readonly Schema[]
  | {
      readonly type: string
      readonly name?: string
      readonly fields?: readonly Field[]
      readonly symbols?: readonly string[]
      readonly default?: unknown
      readonly items?: Schema
      readonly values?: Schema
    }

type Complex = Exclude<Schema, string | readonly Schema[]>

interface Found {
  /** Fields with the record that contains them. */
  readonly fields: { readonly record: string; readonly field: Field }[]
  readonly enums: Complex[]
  readonly unions: (readonly Schema[])[]
}

function find(schema: Schema, found: Found): Found {
  if (typeof schema === 'string') return found
  if (isUnion(schema)) {
    found.unions.push(schema)
    for (const branch of schema) find(branch, found)
    return found
  }
  if (schema.type === 'enum') found.enums.push(schema)
  for (const field of schema.fields ?? []) {
    found.fields.push({ record: schema.name ?? '', field })
    find(field.type, found)
  }
  for (const inner of [schema.items, schema.values]) if (inner !== undefined) find(inner, found)
  return found
}

function isUnion(schema: Schema): schema is readonly Schema[] {
  return Array.isArray(schema)
}

describe.each(SCHEMA_NAMES)('schema %s', (name) => {
  const { fields, enums, unions } = find(JSON.parse(schemaJson(name)) as Schema, {
    fields: [],
    enums: [],
    unions: [],
  })

  test('describes each field in one line', () => {
    expect(fields.filter(({ field }) => !/^\S.*\.$/.test(field.doc ?? ''))).toEqual([])
  })

  test('gives each enum a default, which is its first symbol', () => {
    expect(enums.filter((one) => one.default === undefined || one.symbols?.[0] !== one.default)).toEqual([])
  })

  test('has only unions of null and one other type, with null first and as the default', () => {
    expect(unions.filter((union) => union.length !== 2 || union[0] !== 'null')).toEqual([])
    expect(fields.filter(({ field }) => isUnion(field.type) && field.default !== null)).toEqual([])
  })
})

test('tags exactly the fields that come from a document as personal data', () => {
  const { fields } = find(JSON.parse(schemaJson('verification-result')) as Schema, {
    fields: [],
    enums: [],
    unions: [],
  })
  const tagged = fields.filter(({ field }) => field['confluent:tags']?.includes('PII') === true)
  const expected = fields.filter(
    ({ record, field }) => record === 'DocumentFields' || ['fields', 'editedFields'].includes(field.name),
  )
  expect(tagged.map(({ field }) => field.name)).toEqual(expected.map(({ field }) => field.name))
  expect(tagged.length).toBeGreaterThan(20)
})
