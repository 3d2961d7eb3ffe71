/**
 * Bytes to a VerificationCompleted event: Avro in the Confluent wire format, or JSON (first byte `{`). Never throws,
 * and says of what is wrong only where and of which kind: avsc puts the offending value into its messages.
 *
 * Answers at once for JSON and for schema ids met before. Waits for the registry otherwise: a record is no dead letter
 * because the registry is away.
 */
import type { Type } from 'avsc'
import { z } from 'zod'
import type { VerificationCompleted } from '../../core/schema-types.ts'
import type { Clock, DecodeEvent, Decoded, Undecodable } from '../../ports.ts'
import type { Registry } from './registry.ts'
import { schemaType } from './schemas.ts'

type Reader = (bytes: Buffer) => unknown
type KnownSchema =
  { readonly kind: 'reader'; readonly read: Reader } | { readonly kind: 'bad'; readonly decoded: Decoded }

/** An event has a few hundred bytes; decoders are not tried on what cannot be one. */
const MAX_BYTES = 1024 * 1024
const HEADER_BYTES = 5
const MAGIC_BYTE = 0
const BRACE = 0x7b
const RECHECK_MS = 500
const FORGET_UNKNOWN_MS = 60_000
const MOST_SCHEMAS = 1_000
const RETRY_MS = { first: 250, most: 5_000 } as const

/** Half a surrogate pair has no UTF-8 form: such an id could be neither signed nor written. */
const wellFormed = (value: string): boolean => value.isWellFormed()
const text = z.string().min(1).max(256).refine(wellFormed)
const optionalText = z.string().max(256).refine(wellFormed).nullable().default(null)
const eventSchema = z.object({
  transactionId: text,
  merchantBizId: text,
  productCode: optionalText,
  docType: optionalText,
  // What a timestamp can hold: 8.64e15 ms are the limit of dates.
  completedAt: z.int().min(0).max(8.64e15),
  passed: optionalText,
  subCode: optionalText,
}) satisfies z.ZodType<VerificationCompleted>

export function createDecodeEvent(registry: Registry, clock: Pick<Clock, 'after'>): DecodeEvent {
  const readerType = schemaType('verification-completed')
  const known = new Map<number, KnownSchema>()
  const asked = new Map<number, Promise<KnownSchema>>()

  return (value) => {
    if (value === null) return undecodable('tombstone', 'The record has no value.')
    if (value.length === 0) return undecodable('empty-value', 'The value is empty.')
    if (value.length > MAX_BYTES)
      return undecodable('value-too-large', `The value has more than ${MAX_BYTES} bytes.`)
    if (value[0] === BRACE) return decodeJson(value)
    if (value[0] !== MAGIC_BYTE || value.length <= HEADER_BYTES) {
      return undecodable('unknown-format', 'The value is neither Avro in the Confluent wire format nor JSON.')
    }
    const id = value.readInt32BE(1)
    const schema = known.get(id)
    return schema === undefined
      ? ask(id).then((found) => decodeAvro(value, found))
      : decodeAvro(value, schema)
  }

  /** One request per id however many records wait for it. */
  function ask(id: number): Promise<KnownSchema> {
    const pending = asked.get(id) ?? fetchSchema(id).finally(() => asked.delete(id))
    asked.set(id, pending)
    return pending
  }

  async function fetchSchema(id: number): Promise<KnownSchema> {
    const schema = await untilAnswered(id)
    if (known.size >= MOST_SCHEMAS) known.delete(known.keys().next().value ?? id)
    known.set(id, schema)
    // It may be registered yet: ask again when some time has passed.
    if (schema.kind === 'bad') clock.after(FORGET_UNKNOWN_MS, () => known.delete(id))
    return schema
  }

  async function untilAnswered(id: number): Promise<KnownSchema> {
    let delayMs: number = RETRY_MS.first
    let rechecked = false
    for (;;) {
      const found = await registry.schemaById(id)
      if (found.kind === 'found') return resolve(found.value)
      // A registry's replica may lag behind the producer that has just registered.
      if (found.kind === 'not-found' && rechecked) {
        return bad('unknown-schema', `The registry knows no Avro schema with id ${id}.`)
      }
      rechecked ||= found.kind === 'not-found'
      const pauseMs = found.kind === 'not-found' ? RECHECK_MS : delayMs
      await new Promise<void>((done) => void clock.after(pauseMs, done))
      delayMs = Math.min(delayMs * 2, RETRY_MS.most)
    }
  }

  function resolve(writerType: Type): KnownSchema {
    try {
      const resolver = readerType.createResolver(writerType)
      return { kind: 'reader', read: (bytes) => readerType.fromBuffer(bytes, resolver) as unknown }
    } catch {
      return bad('wrong-schema', 'The schema of the value cannot be read as VerificationCompleted.')
    }
  }
}

function decodeAvro(value: Buffer, schema: KnownSchema): Decoded {
  if (schema.kind === 'bad') return schema.decoded
  let event: unknown
  try {
    event = schema.read(value.subarray(HEADER_BYTES))
  } catch {
    return undecodable('malformed-avro', 'The value does not match its schema.')
  }
  return validate(event)
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decodeJson(value: Buffer): Decoded {
  let json: string
  try {
    json = utf8.decode(value)
  } catch {
    return undecodable('invalid-utf8', 'The value begins like JSON but is no UTF-8 text.')
  }
  try {
    return validate(JSON.parse(json))
  } catch {
    return undecodable('malformed-json', 'The value begins like JSON but cannot be parsed.')
  }
}

function validate(candidate: unknown): Decoded {
  const parsed = eventSchema.safeParse(candidate)
  if (parsed.success) return { kind: 'event', event: parsed.data }
  const faults = parsed.error.issues.map(({ path, code }) => `${path.join('.')}: ${code}`)
  return undecodable(
    'invalid-event',
    `Fields that are missing or not as they should be: ${faults.join(', ')}.`,
  )
}

function bad(code: Undecodable, message: string): KnownSchema {
  return { kind: 'bad', decoded: undecodable(code, message) }
}

function undecodable(code: Undecodable, message: string): Decoded {
  return { kind: 'undecodable', code, message }
}
