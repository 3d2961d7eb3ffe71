/**
 * Generates src/core/records/schema-types.ts from the Avro schemas, which are the only source: `node
 * dev/generate-schema-types.ts`. A test fails if the committed file is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { format } from 'prettier'
import { SCHEMA_NAMES, schemaJson } from '../src/adapters/registry/schemas.ts'

interface Field {
  readonly name: string
  readonly type: Schema
  readonly doc?: string
}

type Named =
  | {
      readonly type: 'record'
      readonly name: string
      readonly doc?: string
      readonly fields: readonly Field[]
    }
  | {
      readonly type: 'enum'
      readonly name: string
      readonly doc?: string
      readonly symbols: readonly string[]
    }

type Schema =
  | string
  | readonly Schema[]
  | Named
  | { readonly type: 'array'; readonly items: Schema }
  | { readonly type: 'map'; readonly values: Schema }
  | { readonly type: 'int' | 'long'; readonly logicalType: string }

const TARGET = new URL('../src/core/records/schema-types.ts', import.meta.url)

const PRIMITIVES: Readonly<Record<string, string>> = {
  null: 'null',
  string: 'string',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
}

const UNITS: Readonly<Record<string, string>> = {
  date: 'Days since 1970-01-01.',
  'timestamp-millis': 'Milliseconds since the epoch.',
}

export function typesOf(schemas: readonly Schema[]): string {
  const declared: string[] = []
  for (const schema of schemas) render(schema, declared)
  return declared.join('\n\n')
}

/** The TypeScript expression for a type. Adds the declarations that it needs to `declared`. */
function render(schema: Schema, declared: string[]): string {
  if (typeof schema === 'string') return PRIMITIVES[schema] ?? schema
  if (isUnion(schema))
    return schema
      .map((branch) => render(branch, declared))
      .sort(nullLast)
      .join(' | ')
  switch (schema.type) {
    case 'record':
      return declareRecord(schema, declared)
    case 'enum':
      return declareEnum(schema, declared)
    case 'array':
      return `readonly (${render(schema.items, declared)})[]`
    case 'map':
      return `Readonly<Record<string, ${render(schema.values, declared)}>>`
    default:
      return 'number'
  }
}

function declareRecord(schema: Named & { type: 'record' }, declared: string[]): string {
  const members = schema.fields.map(({ name, type, doc }) => {
    const expression = render(type, declared)
    return `${comment([doc, unitOf(type)])}readonly ${name}: ${expression}`
  })
  declared.push(`${comment([schema.doc])}export interface ${schema.name} {\n${members.join('\n')}\n}`)
  return schema.name
}

function declareEnum(schema: Named & { type: 'enum' }, declared: string[]): string {
  const constant = schema.name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase() + '_SYMBOLS'
  const symbols = schema.symbols.map((symbol) => `'${symbol}'`).join(', ')
  declared.push(
    `${comment([schema.doc])}export const ${constant} = [${symbols}] as const\n` +
      `export type ${schema.name} = (typeof ${constant})[number]`,
  )
  return schema.name
}

function unitOf(schema: Schema): string | undefined {
  if (typeof schema === 'string') return undefined
  if (isUnion(schema)) return schema.map(unitOf).find((unit) => unit !== undefined)
  return 'logicalType' in schema ? UNITS[schema.logicalType] : undefined
}

function isUnion(schema: Schema): schema is readonly Schema[] {
  return Array.isArray(schema)
}

function nullLast(left: string, right: string): number {
  return Number(left === 'null') - Number(right === 'null')
}

function comment(parts: readonly (string | undefined)[]): string {
  const text = parts.filter((part) => part !== undefined).join(' ')
  return text === '' ? '' : `/** ${text} */\n`
}

export async function generate(): Promise<string> {
  const schemas = SCHEMA_NAMES.map((name) => JSON.parse(schemaJson(name)) as Schema)
  const header =
    '/** Generated from schemas/*.avsc by dev/generate-schema-types.ts: change those files, not this one. */\n\n'
  return format(header + typesOf(schemas), {
    parser: 'typescript',
    printWidth: 110,
    singleQuote: true,
    semi: false,
  })
}

export function committed(): string {
  return readFileSync(TARGET, 'utf8')
}

if (import.meta.main) writeFileSync(TARGET, await generate())
