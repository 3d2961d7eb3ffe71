/**
 * Bytes to a VerificationCompleted event: Avro in the Confluent wire format, or JSON (first byte `{`). Never throws,
 * and says of what is wrong only where and of which kind: avsc puts the offending value into its messages.
 *
 * Answers at once for JSON and for schema ids met before. Waits for the registry otherwise: a record is no dead letter
 * because the registry is away.
 */
import { z } from 'zod'
import type { VerificationCompleted } from '../../core/schema-types.ts'
import type { DecodeEvent, Decoded, Undecodable } from '../../ports.ts'
import { EventSchemas, type EventSchema, type EventSchemasOptions } from './event-schemas.ts'

/** An event has a few hundred bytes; decoders are not tried on what cannot be one. */
const MAX_BYTES = 1024 * 1024
const HEADER_BYTES = 5
const MAGIC_BYTE = 0
const BRACE = 0x7b

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

export interface EventDecoder {
  readonly decode: DecodeEvent
  /** Records that wait for the registry. */
  readonly waiting: number
  /** Nobody waits any longer. */
  stop(): void
}

export function createEventDecoder(options: EventSchemasOptions): EventDecoder {
  const schemas = new EventSchemas(options)
  return {
    decode: (value) => {
      if (value === null) return undecodable('tombstone', 'The record has no value.')
      if (value.length === 0) return undecodable('empty-value', 'The value is empty.')
      if (value.length > MAX_BYTES)
        return undecodable('value-too-large', `The value has more than ${MAX_BYTES} bytes.`)
      if (value[0] === BRACE) return decodeJson(value)
      if (value[0] !== MAGIC_BYTE || value.length <= HEADER_BYTES) {
        return undecodable(
          'unknown-format',
          'The value is neither Avro in the Confluent wire format nor JSON.',
        )
      }
      const schema = schemas.get(value.readInt32BE(1))
      if (!(schema instanceof Promise)) return decodeAvro(value, schema)
      return schema.then((found) => (found === null ? null : decodeAvro(value, found)))
    },
    get waiting() {
      return schemas.waiting
    },
    stop: () => schemas.stop(),
  }
}

function decodeAvro(value: Buffer, schema: EventSchema): Decoded {
  if (schema.kind === 'bad') return undecodable(schema.code, schema.message)
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

function undecodable(code: Undecodable, message: string): Decoded {
  return { kind: 'undecodable', code, message }
}
