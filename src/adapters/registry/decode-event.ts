/**
 * Decodes bytes to a VerificationCompleted event: JSON, or Avro or JSON with a schema id as Confluent's serializers
 * write it. Never throws. Its messages name fields and types, never values.
 *
 * Returns at once for JSON and for known schema ids. Otherwise it waits for the registry, because a registry outage
 * must not turn a record into a dead letter.
 */
import { hasHeader, type Headers } from '../../core/records/headers.ts'
import type { Clock, DecodeEvent, Decoded, ForeignKind, Undecodable } from '../../ports.ts'
import { EventSchemas, type EventSchema, type EventSchemasOptions } from './event-schemas.ts'
import { decodeJson, startOfText } from './json-event.ts'
import { otherFraming } from './other-framing.ts'

/** An event has a few hundred bytes. Larger values cannot be events and are not decoded. */
const MAX_BYTES = 1024 * 1024
const HEADER_BYTES = 5
const MAGIC_BYTE = 0
const BRACE = 0x7b

export interface EventDecoderOptions extends EventSchemasOptions {
  readonly clock: Pick<Clock, 'after' | 'monotonicMs' | 'epochMs'>
}

export interface EventDecoder {
  readonly decode: DecodeEvent
  /** Number of records that wait for the registry. */
  readonly waiting: number
  /** Ends all waits. Waiting decodes resolve to null. */
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

/**
 * Handles a value that is neither JSON nor framed. If it contains our field names, it was meant as an event and
 * must not be skipped as foreign.
 */
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
