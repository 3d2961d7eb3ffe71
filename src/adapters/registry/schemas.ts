/** Loads our own schemas from their files. */
import { readFileSync } from 'node:fs'
import avsc, { type Type } from 'avsc'

export const SCHEMA_NAMES = ['verification-completed', 'verification-result'] as const
export type SchemaName = (typeof SCHEMA_NAMES)[number]

/** Returns the schema in one line, because some registries treat another layout as another schema. */
export function schemaJson(name: SchemaName): string {
  const text = readFileSync(new URL(`../../../schemas/${name}.avsc`, import.meta.url), 'utf8')
  return JSON.stringify(JSON.parse(text))
}

export function schemaType(name: SchemaName): Type {
  return typeOf(schemaJson(name))
}

/** The subject of a topic's values, by the usual naming strategy. */
export function subjectOf(topic: string): string {
  return `${topic}-value`
}

/**
 * Says why a reader with the first schema cannot read data written with the second. Null if it can. The message
 * names only parts of the schemas, never values.
 */
export function whyUnreadable(readerJson: string, writerJson: string): string | null {
  try {
    return whyUnresolvable(typeOf(readerJson), typeOf(writerJson))
  } catch (error) {
    return messageOf(error)
  }
}

/** Finds the field, because the library's message does not name it. */
function whyUnresolvable(reader: Type, writer: Type): string | null {
  try {
    reader.createResolver(writer)
    return null
  } catch (error) {
    if (reader instanceof avsc.types.RecordType && writer instanceof avsc.types.RecordType) {
      for (const { name, type } of reader.fields) {
        const written = writer.fields.find((field) => field.name === name)
        const reason = written === undefined ? null : whyUnresolvable(type, written.type)
        if (reason !== null) return `field ${name}: ${reason}`
      }
    }
    return messageOf(error)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}

function typeOf(json: string): Type {
  return avsc.Type.forSchema(JSON.parse(json) as avsc.Schema)
}
