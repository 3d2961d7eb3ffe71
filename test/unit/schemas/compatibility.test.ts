import { readdirSync, readFileSync } from 'node:fs'
import avsc, { type Schema, type Type } from 'avsc'
import { describe, expect, test } from 'vitest'
import {
  SCHEMA_NAMES,
  schemaJson,
  schemaType,
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

/** Whether what was written by `writer` can be read as `reader`. */
function reads(reader: Type, writer: Type): void {
  reader.createResolver(writer)
}

test.each(SCHEMA_NAMES)('every released version of %s is kept, from the first on', (name) => {
  const versions = releases.filter((release) => release.name === name).map(({ version }) => version)
  expect(versions.toSorted((one, other) => one - other)).toEqual(versions.map((_, index) => index + 1))
  expect(versions.length).toBeGreaterThan(0)
})

describe.each(releases)('$name $version', ({ name, json }) => {
  test('can be read by the schema of today', () => {
    expect(() => reads(schemaType(name), typeOf(json))).not.toThrow()
  })

  test('gives records of today’s shape', () => {
    const [today, then] = [schemaType(name), typeOf(json)]
    const resolver = today.createResolver(then)
    for (let run = 0; run < 50; run += 1) {
      expect(today.isValid(today.fromBuffer(then.toBuffer(then.random()), resolver))).toBe(true)
    }
  })
})

/** What the tests above would find. */
describe('a change that is refused', () => {
  interface Named {
    readonly fields: { readonly name: string; readonly type: unknown }[]
  }

  function changed(change: (result: Named) => void): Type {
    const schema = JSON.parse(schemaJson('verification-result')) as Named
    change(schema)
    return typeOf(JSON.stringify(schema))
  }
  const today = schemaType('verification-result')

  test('is a new field without a default', () => {
    expect(() =>
      reads(
        changed(({ fields }) => fields.push({ name: 'added', type: 'string' })),
        today,
      ),
    ).toThrow(/no matching field/)
  })

  test('is another type', () => {
    const other = changed(({ fields }) => fields.splice(0, 1, { name: 'transactionId', type: 'long' }))
    expect(() => reads(other, today)).toThrow(/cannot read/)
  })

  test('is not a field that is gone, nor a new one with a default', () => {
    expect(() =>
      reads(
        changed(({ fields }) => fields.pop()),
        today,
      ),
    ).not.toThrow()
    const added = { name: 'added', type: ['null', 'string'], default: null }
    expect(() =>
      reads(
        changed(({ fields }) => fields.push(added)),
        today,
      ),
    ).not.toThrow()
  })

  test('is not a new symbol: who does not know it reads the default', () => {
    const json = schemaJson('verification-result')
    const newer = typeOf(json.replace('"TAMPER"', '"TAMPER", "HOLOGRAM"'))
    const random = newer.random() as unknown as object
    const written = newer.toBuffer({ ...random, risk: { detected: true, spoofTypes: ['HOLOGRAM'] } })
    expect(today.fromBuffer(written, today.createResolver(newer))).toMatchObject({
      risk: { spoofTypes: ['OTHER'] },
    })
  })
})
