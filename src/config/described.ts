/** Attaches to the schema of a setting what the table of settings, the errors and the Helm chart say about it. */
import { z } from 'zod'
import type { DurationRange, Value } from './values.ts'

/**
 * The kind of value in the variable: `text` is the value itself; `secret` is the value or, with `_FILE` appended to the name,
 * the path of a file with it; `content` is the path of a file with the value; `path` is the path of a file that a library reads.
 */
export type Holds = 'text' | 'secret' | 'content' | 'path'

export interface Described {
  readonly meaning: string
  readonly expected: string
  readonly example: string
  readonly holds: Holds
  readonly pattern?: string
  readonly range?: DurationRange
  /** The value of an unset variable. */
  readonly default?: string
  /** For the table: the meaning of an unset variable if there is no fixed default. */
  readonly otherwise?: string
}

interface SettingMetadata {
  readonly meaning: string
  readonly holds?: Holds
  readonly otherwise?: string
}

const descriptions = z.registry<Described>()

export function required<T>(value: Value<T>, metadata: SettingMetadata) {
  return value.schema.clone().register(descriptions, { ...describe(value, metadata), otherwise: 'required' })
}

export function withDefault<T>(value: Value<T>, text: string, metadata: SettingMetadata) {
  return value.schema.prefault(text).register(descriptions, { ...describe(value, metadata), default: text })
}

export function optional<T>(value: Value<T>, metadata: SettingMetadata) {
  return value.schema.optional().register(descriptions, describe(value, metadata))
}

function describe(value: Value<unknown>, metadata: SettingMetadata): Described {
  const { schema: _, ...described } = value
  return { holds: 'text', ...described, ...metadata }
}

export function describedBy(schema: z.ZodType): Described | undefined {
  return descriptions.get(schema)
}
