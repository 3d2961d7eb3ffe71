/**
 * A dead letter that the brokers do not take as it is, one step smaller: without the value if it is too large, without the
 * event's own headers, with a key if there was none. Our own headers stay: they say what was wrong, where the event is, and
 * what was left out. Pure but for the hash.
 */
import { createHash } from 'node:crypto'
import { isOurs, withoutOurs } from '../core/dead-letter.ts'
import { encodedHeaders, lastText, type Headers } from '../core/headers.ts'
import { leftOutHeader, type LeftOut } from '../core/left-out.ts'
import type { Failure, OutputRecord } from '../ports.ts'

/** The batch is larger than the topic takes. */
const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])
/** A longer key can itself be what is too large. */
const MAX_KEY_BYTES = 1_024

type Step = (deadLetter: OutputRecord) => OutputRecord | null

/** Null if there is nothing left to leave out. */
export function reducedDeadLetter(deadLetter: OutputRecord, { code }: Failure): OutputRecord | null {
  const isTooLarge = TOO_LARGE.has(code)
  const headersFirst =
    !isTooLarge || headerBytes(withoutOurs(deadLetter.headers)) > (deadLetter.value?.length ?? 0)
  const steps: readonly Step[] = [
    ...(isTooLarge ? [] : [withKey]),
    ...(headersFirst ? [withoutHeaders, withoutValue] : [withoutValue, withoutHeaders]),
    withShortKey,
  ]
  for (const step of steps) {
    const reduced = step(deadLetter)
    if (reduced !== null) return reduced
  }
  return null
}

/** A compacted topic takes no record without a key. */
function withKey(deadLetter: OutputRecord): OutputRecord | null {
  return deadLetter.key === null ? { ...deadLetter, key: sourceKey(deadLetter.headers) } : null
}

function withoutHeaders(deadLetter: OutputRecord): OutputRecord | null {
  const own = withoutOurs(deadLetter.headers)
  if (own.length === 0) return null
  const leftOut = described('headers', encodedHeaders(own))
  return { ...deadLetter, headers: [...deadLetter.headers.filter(isOurs), leftOutHeader(leftOut)] }
}

function withoutValue(deadLetter: OutputRecord): OutputRecord | null {
  const { value } = deadLetter
  return value === null ? null : leaveOut({ ...deadLetter, value: null }, 'value', value)
}

function withShortKey(deadLetter: OutputRecord): OutputRecord | null {
  const { key, headers } = deadLetter
  return key === null || key.length <= MAX_KEY_BYTES
    ? null
    : leaveOut({ ...deadLetter, key: sourceKey(headers) }, 'key', key)
}

function leaveOut(deadLetter: OutputRecord, field: 'key' | 'value', bytes: Buffer): OutputRecord {
  return { ...deadLetter, headers: [...deadLetter.headers, leftOutHeader(described(field, bytes))] }
}

function described(field: LeftOut['field'], bytes: Buffer): LeftOut {
  return { field, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** Where the event stands on its topic: unique, and no part of it. */
function sourceKey(headers: Headers): Buffer {
  const [topic, partition, offset] = ['topic', 'partition', 'offset'].map((name) =>
    lastText(headers, `__connect.errors.${name}`),
  )
  return Buffer.from(`${topic}:${partition}:${offset}`)
}

function headerBytes(headers: Headers): number {
  return headers.reduce((sum, { name, value }) => sum + name.length + (value?.length ?? 0), 0)
}
