import { readdirSync, readFileSync } from 'node:fs'
import avsc, { type Schema, type Type } from 'avsc'
import { describe, expect, test } from 'vitest'
import {
  SCHEMA_NAMES,
  schemaJson,
  whyUnreadable,
  type SchemaName,
} from '../../../src/adapters/registry/schemas.ts'

const RELEASED = new URL('../../../schemas/released/', import.meta.url)

interface Release {
  readonly name: SchemaName
  readonly version: number
  readonly json: string
}

const releases: readonly Release[] = SCHEMA_NAMES.flatMap((name) =>
  readdirSync(new URL(`${name}/`, RELEASED)).map((file) => ({
    name,
    version: Number.parseInt(file, 10),
    json: readFileSync(new URL(`${name}/${file}`, RELEASED), 'utf8'),
  })),
)

function typeOf(json: string): Type {
  return avsc.Type.forSchema(JSON.parse(json) as Schema)
}

test.each(SCHEMA_NAMES)('every released version of %s is kept', (name) => {
  const versions = releases.filter((release) => release.name === name).map(({ version }) => version)
  expect(versions.toSorted((one, other) => one - other)).toEqual(versions.map((_, index) => index + 1))
  expect(versions.length).toBeGreaterThan(0)
})

/** Every pair of versions of one schema, in both orders (FULL_TRANSITIVE). The current schema is version 0. */
const pairs = SCHEMA_NAMES.flatMap((name) => {
  const versions = [
    ...releases.filter((release) => release.name === name),
    { name, version: 0, json: schemaJson(name) },
  ]
  return versions.flatMap((reader) =>
    versions.map((writer) => ({ name, reader, writer, as: reader.version, from: writer.version })),
  )
})

test.each(pairs)(
  '$name: a reader of version $as reads data written with version $from',
  ({ reader, writer }) => {
    const [reading, writing] = [typeOf(reader.json), typeOf(writer.json)]
    expect(whyUnreadable(reader.json, writer.json)).toBe(null)
    const resolver = reading.createResolver(writing)
    for (let run = 0; run < 50; run += 1) {
      expect(reading.isValid(reading.fromBuffer(writing.toBuffer(writing.random()), resolver))).toBe(true)
    }
  },
)

test.each(releases)('$name: every field of version $version still exists', ({ name, json }) => {
  const today = fieldsOf(JSON.parse(schemaJson(name)))
  expect(fieldsOf(JSON.parse(json)).filter((field) => !today.includes(field))).toEqual([])
})

/** `record.field` of every record, at any depth. */
function fieldsOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const { type, name, fields } = schema as { type?: unknown; name?: string; fields?: { name: string }[] }
  const own = type === 'record' ? (fields ?? []).map((field) => `${name}.${field.name}`) : []
  return [...own, ...Object.values(schema).flatMap(fieldsOf)]
}

/** Shows that the tests above can fail. */
describe('a schema change', () => {
  interface Named {
    readonly fields: { readonly name: string; readonly type: unknown }[]
  }

  function changed(change: (result: Named) => void): string {
    const schema = JSON.parse(today) as Named
    change(schema)
    return JSON.stringify(schema)
  }
  const today = schemaJson('verification-result')
  const isCompatible = (other: string): boolean =>
    whyUnreadable(today, other) === null && whyUnreadable(other, today) === null

  test('is incompatible if it adds a field without a default', () => {
    expect(isCompatible(changed(({ fields }) => fields.push({ name: 'added', type: 'string' })))).toBe(false)
  })

  test('is incompatible if it removes a field without a default, because older readers need it', () => {
    const without = changed(({ fields }) => fields.shift())
    expect(whyUnreadable(without, today)).toBe(null)
    expect(whyUnreadable(today, without)).toMatch(/no matching field/)
  })

  test('is incompatible if it changes a type', () => {
    const other = changed(({ fields }) => fields.splice(0, 1, { name: 'transactionId', type: 'long' }))
    expect(whyUnreadable(other, today)).toBe('field transactionId: cannot read "string" as "long"')
  })

  test('is incompatible if a field becomes nullable, because older readers cannot read null', () => {
    const other = changed(({ fields }) =>
      fields.splice(0, 1, { name: 'transactionId', type: ['null', 'string'] }),
    )
    expect(whyUnreadable(other, today)).toBe(null)
    expect(isCompatible(other)).toBe(false)
  })

  test('is compatible if it adds a field with a default', () => {
    const added = { name: 'added', type: ['null', 'string'], default: null }
    expect(isCompatible(changed(({ fields }) => fields.push(added)))).toBe(true)
  })

  test('is compatible if it adds an enum symbol, because older readers use the default', () => {
    const newerJson = today.replace('"TAMPER"', '"TAMPER", "HOLOGRAM"')
    const [newer, reader] = [typeOf(newerJson), typeOf(today)]
    const random = newer.random() as unknown as object
    const written = newer.toBuffer({ ...random, risk: { detected: true, spoofTypes: ['HOLOGRAM'] } })
    expect(isCompatible(newerJson)).toBe(true)
    expect(reader.fromBuffer(written, reader.createResolver(newer))).toMatchObject({
      risk: { spoofTypes: ['OTHER'] },
    })
  })
})
