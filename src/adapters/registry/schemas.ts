/** Our own schemas, read from the files that are their only source. */
import { readFileSync } from 'node:fs'
import avsc, { type Type } from 'avsc'

export const SCHEMA_NAMES = ['verification-completed', 'verification-result'] as const
export type SchemaName = (typeof SCHEMA_NAMES)[number]

export function schemaJson(name: SchemaName): string {
  return readFileSync(new URL(`../../../schemas/${name}.avsc`, import.meta.url), 'utf8')
}

export function schemaType(name: SchemaName): Type {
  return avsc.Type.forSchema(JSON.parse(schemaJson(name)) as avsc.Schema)
}

/** The subject of a topic's values, by the registries' usual naming. */
export function subjectOf(topic: string): string {
  return `${topic}-value`
}
