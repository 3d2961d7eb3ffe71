/** Our own schemas, read from the files that are their only source. */
import { readFileSync } from 'node:fs'
import avsc, { type Type } from 'avsc'

export const SCHEMA_NAMES = ['verification-completed', 'verification-result'] as const
export type SchemaName = (typeof SCHEMA_NAMES)[number]

/** In one line: some registries take another layout of the same schema for another schema. */
export function schemaJson(name: SchemaName): string {
  const text = readFileSync(new URL(`../../../schemas/${name}.avsc`, import.meta.url), 'utf8')
  return JSON.stringify(JSON.parse(text))
}

export function schemaType(name: SchemaName): Type {
  return avsc.Type.forSchema(JSON.parse(schemaJson(name)) as avsc.Schema)
}

/** The subject of a topic's values, by the registries' usual naming. */
export function subjectOf(topic: string): string {
  return `${topic}-value`
}

/** Why a reader with our schema could not read what was written with `writerJson`; null when it could. */
export function whyUnreadable(name: SchemaName, writerJson: string): string | null {
  try {
    schemaType(name).createResolver(avsc.Type.forSchema(JSON.parse(writerJson) as avsc.Schema))
    return null
  } catch (error) {
    // Of schemas alone: there is no value in it.
    return error instanceof Error ? error.message : 'unknown'
  }
}
