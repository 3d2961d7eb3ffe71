/**
 * Bytes to a VerificationCompleted event: JSON, or Avro or JSON behind a schema id as Confluent's serializers write it. Never
 * throws, and its messages name fields and types, never values.
 *
 * Answers at once for JSON and for schema ids seen before. Otherwise it waits for the registry: a record does not become a
 * dead letter because the registry is away.
 */
import { hasHeader, type Headers } from '../../core/headers.ts'
import type { Clock, DecodeEvent, Decoded, ForeignKind, Undecodable } from '../../ports.ts'
import { EventSchemas, type EventSchema, type EventSchemasOptions } from './event-schemas.ts'
import { decodeJson, startOfText } from './json-event.ts'
import { otherFraming } from './other-framing.ts'

/** An event has a few hundred bytes; decoders are not tried on what cannot be one. */
const MAX_BYTES = 1024 * 1024
const HEADER_BYTES = 5
const MAGIC_BYTE = 0
const BRACE = 0x7b

export interface EventDecoderOptions extends EventSchemasOptions {
  readonly clock: Pick<Clock, 'after' | 'monotonicMs' | 'epochMs'>
}

export interface EventDecoder {
  readonly decode: DecodeEvent
  /** Records that wait for the registry. */
  readonly waiting: number
  /** Nobody waits any longer. */
  stop(): void
}

export function createEventDecoder(options: EventDecoderOptions): EventDecoder {
  const schemas = new EventSchemas(options)
  const nowMs = (): number => options.clock.epochMs()
  return {
    decode: (value, headers) => {
      if (value === null) return foreign('tombstone', 'The record has no value.')
      if (value.length === 0) return undecodable('empty-value', 'The value is empty.')
      if (value.length > MAX_BYTES)
        return undecodable('value-too-large', `The value has more than ${MAX_BYTES} bytes.`)
      const unsupported = otherFraming(value)
      if (unsupported !== null) return undecodable('unsupported-format', unsupported)
      if (value[startOfText(value)] === BRACE) return decodeJson(value, 0, nowMs())
      if (value[0] !== MAGIC_BYTE || value.length <= HEADER_BYTES) return withoutFraming(value, headers)
      const schema = schemas.get(value.readInt32BE(1))
      if (!(schema instanceof Promise)) return decodeFramed(value, schema, nowMs())
      return schema.then((found) => (found === null ? null : decodeFramed(value, found, nowMs())))
    },
    get waiting() {
      return schemas.waiting
    },
    stop: () => schemas.stop(),
  }
}

function decodeFramed(value: Buffer, schema: EventSchema, nowMs: number): Decoded {
  switch (schema.kind) {
    case 'bad':
      return undecodable(schema.code, schema.message)
    case 'json':
      return decodeJson(value, HEADER_BYTES, nowMs)
    case 'foreign':
      return foreign('wrong-schema', schema.message)
    case 'avro':
      return schema.decode(value, HEADER_BYTES, nowMs)
  }
}

const SCHEMA_HEADER = '__value_schema_id'
const FIELD_NAME = /transaction_?id|merchant_?biz_?id/i

/** Neither JSON nor framed. What names our fields was meant as an event, so it is not passed over as somebody else's. */
function withoutFraming(value: Buffer, headers: Headers): Decoded {
  if (hasHeader(headers, SCHEMA_HEADER)) {
    return undecodable(
      'unsupported-format',
      `The id of the schema is in the header ${SCHEMA_HEADER}. This version reads it only from the first five bytes of the value.`,
    )
  }
  if (FIELD_NAME.test(value.toString('latin1'))) {
    return undecodable(
      'unsupported-format',
      'The value names fields of an event, but is neither a JSON object nor Avro behind a schema id.',
    )
  }
  return foreign('unknown-format', 'The value is neither a JSON object nor Avro behind a schema id.')
}

function undecodable(code: Undecodable, message: string): Decoded {
  return { kind: 'undecodable', code, message }
}

function foreign(kind: ForeignKind, message: string): Decoded {
  return { kind: 'foreign', foreign: kind, message }
}
