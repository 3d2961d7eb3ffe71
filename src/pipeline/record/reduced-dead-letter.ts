/**
 * Reduces a dead letter that the brokers reject by one step: without the value if it is too large, without the event's
 * own headers, or with a key if it has none. Our own headers stay, because they name the cause, the event's position
 * and the parts that were left out. Pure except for the hash.
 */
import { createHash } from 'node:crypto'
import { isOurs, withoutOurs } from '../../core/dead-letters/dead-letter.ts'
import { encodedHeaders, lastText, type Headers } from '../../core/records/headers.ts'
import { leftOutHeader, type LeftOut } from '../../core/dead-letters/left-out.ts'
import type { Failure, OutputRecord } from '../../ports.ts'

/** The batch exceeds the topic's limit. */
const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])
/** A longer key may itself be too large. */
const MAX_KEY_BYTES = 1_024

type Step = (deadLetter: OutputRecord) => OutputRecord | null

/** Null if nothing is left to leave out. */
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

/** A compacted topic rejects records without a key. */
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

/** The event's position: unique, and not a part of the event. */
function sourceKey(headers: Headers): Buffer {
  const [topic, partition, offset] = ['topic', 'partition', 'offset'].map((name) =>
    lastText(headers, `__connect.errors.${name}`),
  )
  return Buffer.from(`${topic}:${partition}:${offset}`)
}

function headerBytes(headers: Headers): number {
  return headers.reduce((sum, { name, value }) => sum + name.length + (value?.length ?? 0), 0)
}
