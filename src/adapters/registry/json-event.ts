/** Reads an event from JSON text, which may follow a byte order mark or white space. Never throws. */
import type { Decoded, Undecodable } from '../../ports.ts'
import { FIELDS, matchNames, noFields, REQUIRED_FIELDS, toEvent, type FoundFields } from './event-fields.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })
const BOM = [0xef, 0xbb, 0xbf] as const
const BLANKS: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d])

/** Index of the first character after a byte order mark and white space. */
export function startOfText(value: Buffer, from = 0): number {
  let at = BOM.every((byte, place) => value[from + place] === byte) ? from + BOM.length : from
  while (BLANKS.has(value[at])) at += 1
  return at
}

export function decodeJson(value: Buffer, from: number, nowMs: number): Decoded {
  let text: string
  try {
    text = utf8.decode(value.subarray(startOfText(value, from)))
  } catch {
    return undecodable('invalid-utf8', 'The value begins like JSON but is not valid UTF-8.')
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undecodable('malformed-json', 'The value begins like JSON but cannot be parsed.')
  }
  const fields = fieldsOf(payloadOf(parsed))
  return fields === null
    ? {
        kind: 'foreign',
        foreign: 'unrelated-json',
        message: 'The value is JSON without any field of an event.',
      }
    : toEvent(fields, nowMs)
}

/** Kafka Connect's JSON converter wraps values: `{"schema": ..., "payload": ...}`. */
function payloadOf(parsed: unknown): unknown {
  const isWrapped =
    isObject(parsed) &&
    Object.keys(parsed).length === 2 &&
    'schema' in parsed &&
    Object.hasOwn(parsed, 'payload')
  return isWrapped ? parsed['payload'] : parsed
}

/** Null if none of our fields is present. */
function fieldsOf(parsed: unknown): FoundFields | null {
  if (!isObject(parsed)) return null
  const fields = noFields()
  for (const field of FIELDS) fields[field] = parsed[field]
  if (REQUIRED_FIELDS.every((field) => fields[field] !== undefined)) return fields
  const matched = matchNames(Object.keys(parsed))
  for (const [name, field] of matched) fields[field] = parsed[name]
  return matched.size === 0 ? null : fields
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function undecodable(code: Undecodable, message: string): Decoded {
  return { kind: 'undecodable', code, message }
}
