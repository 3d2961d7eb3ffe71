/** Generates the values of records: valid events, and values that are almost an event. */
import type { VerificationCompleted } from '../../src/core/records/schema-types.ts'
import type { Dice } from './dice.ts'
import { CANARY, framed, toJson } from './events.ts'
import type { Outcome } from './kinds.ts'
import type { Header } from './record-batch.ts'
import type { Registered } from './schemas.ts'

export interface World {
  readonly seed: number
  /** Start of the run. All timestamps are close to it. */
  readonly nowMs: number
  readonly schemas: Registered
  /** The service's setting `KAFKA_FOREIGN_RECORDS`. */
  readonly foreignRecords: 'skip' | 'dead-letter'
  /** max.message.bytes of the input topic. */
  readonly maxBatchBytes: number
}

export const SKIP: ReadonlySet<Outcome> = new Set(['skip'])
export const DEAD_LETTER: ReadonlySet<Outcome> = new Set(['dead-letter'])
export const NO_RESULT: ReadonlySet<Outcome> = new Set(['dead-letter', 'skip'])
export const OUT: ReadonlySet<Outcome> = new Set(['result', 'dead-letter'])
export const ANY: ReadonlySet<Outcome> = new Set(['result', 'dead-letter', 'skip'])

export interface Content {
  readonly about: string
  readonly value: Buffer | null
  readonly event: VerificationCompleted | null
  /** The possible outcomes if the value contains no event that the service must find. */
  readonly outcomes?: ReadonlySet<Outcome>
  readonly isAlone?: boolean
  readonly headers?: readonly Header[]
  readonly key?: Buffer | null
}

export interface Making {
  readonly world: World
  readonly number: number
  readonly dice: Dice
  readonly event: VerificationCompleted
}

export function healthy({ world, dice, event }: Making): Buffer {
  const { ours } = world.schemas
  return dice.chance(0.5) ? framed(ours.id, ours.encode(event)) : toJson(event)
}

/** Repeats the previous record if that was an event, otherwise a new event. */

const BOM = Buffer.from([0xef, 0xbb, 0xbf])

export function padded({ dice, event, world }: Making): Content {
  const blanks = Buffer.from(dice.pick([' ', '\n', '\t', '\r\n', '   \n\t ']))
  const json = toJson(event)
  switch (dice.weighted({ bom: 3, before: 3, behind: 2, both: 2, jsonSchema: 4, jsonSchemaBlank: 2 })) {
    case 'bom':
      return { about: 'BOM', value: Buffer.concat([BOM, json]), event }
    case 'before':
      return { about: 'leading white space', value: Buffer.concat([blanks, json]), event }
    case 'behind':
      return { about: 'trailing white space', value: Buffer.concat([json, blanks]), event }
    case 'both':
      return { about: 'BOM and white space', value: Buffer.concat([BOM, blanks, json, blanks]), event }
    case 'jsonSchema':
      return { about: 'JSON Schema framing', value: framed(world.schemas.jsonSchemaId, json), event }
    case 'jsonSchemaBlank':
      return {
        about: 'JSON Schema framing and white space',
        value: framed(world.schemas.jsonSchemaId, Buffer.concat([blanks, json])),
        event,
      }
  }
}

const NOT_EVENTS: readonly (readonly [text: string, outcomes: ReadonlySet<Outcome>])[] = [
  ['{}', NO_RESULT],
  ['[]', NO_RESULT],
  ['null', NO_RESULT],
  ['"zqxleak"', NO_RESULT],
  ['7', NO_RESULT],
  ['{"heartbeat":1}', NO_RESULT],
  ['{"__proto__":{"transactionId":"zqxleak"}}', NO_RESULT],
  ['{"constructor":1,"toString":2}', NO_RESULT],
  ['{"transactionId":"zqxleak"}', DEAD_LETTER],
  ['{"transactionId":"zqxleak","merchantBizId":"zqxleak","completedAt":"zqxleak"}', DEAD_LETTER],
  ['{"transactionId":"","merchantBizId":"zqxleak","completedAt":1767225600000}', DEAD_LETTER],
  ['{"transactionId":["zqxleak"],"merchantBizId":{},"completedAt":1767225600000}', DEAD_LETTER],
  ['{"transactionId":"\\ud800","merchantBizId":"zqxleak","completedAt":1767225600000}', DEAD_LETTER],
]
const DEPTH = 5_000

export function oddJson({ dice, event }: Making): Content {
  switch (dice.weighted({ not: 5, extra: 3, escaped: 2, order: 2, twice: 1, deep: 1, long: 1 })) {
    case 'not': {
      const [text, outcomes] = dice.pick(NOT_EVENTS)
      return { about: text.slice(0, 20), value: Buffer.from(text), event: null, outcomes }
    }
    case 'extra':
      return {
        about: 'unknown members',
        value: Buffer.from(
          `{"constructor":{"x":"${CANARY}"},"__proto__":["${CANARY}"],"toString":1,${JSON.stringify(event).slice(1)}`,
        ),
        event,
      }
    case 'escaped': {
      const text = JSON.stringify(event).replaceAll('zqx', String.raw`\u007aqx`)
      return { about: 'escaped characters', value: Buffer.from(text), event }
    }
    case 'order': {
      const reversed = Object.fromEntries(Object.entries(event).toReversed())
      return {
        about: 'members in another order',
        value: Buffer.from(JSON.stringify(reversed, null, 3)),
        event,
      }
    }
    case 'twice':
      return {
        about: 'a duplicate member',
        value: Buffer.from(`{"transactionId":7,${JSON.stringify(event).slice(1)}`),
        event,
      }
    case 'deep':
      return {
        about: 'deeply nested',
        value: Buffer.from(
          `{"deep":${'['.repeat(DEPTH)}${']'.repeat(DEPTH)},${JSON.stringify(event).slice(1)}`,
        ),
        event: null,
      }
    case 'long':
      return {
        about: 'a text that is too long',
        value: toJson({ ...event, merchantBizId: CANARY.repeat(100) }),
        event: null,
        outcomes: DEAD_LETTER,
      }
  }
}

export function framing({ dice, event, world }: Making): Content {
  const { ours, protobufId, jsonSchemaId } = world.schemas
  const avro = ours.encode(event)
  const values: Readonly<Record<string, Buffer>> = {
    'magic 1': framed(ours.id, avro, 1),
    'magic 255': framed(ours.id, avro, 255),
    'no framing': avro,
    'Protobuf framing': framed(protobufId, Buffer.concat([Buffer.from([0, 0x0a, 7]), Buffer.from(CANARY)])),
    'unknown id': framed(2_000_000_000 + dice.below(3), avro),
    'negative id': framed(-1, avro),
    'id only': framed(ours.id, Buffer.alloc(0)),
    'truncated id': framed(ours.id, avro).subarray(0, dice.between(1, 4)),
    'Avro with the id of JSON Schema': framed(jsonSchemaId, avro),
    'trailing bytes after the event': framed(ours.id, Buffer.concat([avro, dice.bytes(3)])),
    'empty value': Buffer.alloc(0),
    'Avro container': Buffer.concat([Buffer.from('Obj\u0001'), avro]),
    gzip: Buffer.from('1f8b0800', 'hex'),
  }
  const about = dice.pick(Object.keys(values))
  return {
    about,
    value: values[about] ?? null,
    event: null,
    outcomes: about === 'trailing bytes after the event' ? ANY : NO_RESULT,
  }
}

const DAY_MS = 86_400_000

export function oddTime({ dice, event, world: { nowMs } }: Making): Content {
  const times: Readonly<Record<string, unknown>> = {
    seconds: Math.floor(nowMs / 1_000),
    micros: nowMs * 1_000,
    zero: 0,
    negative: -1,
    'two days ahead': nowMs + 2 * DAY_MS,
    fraction: nowMs + 0.5,
    text: new Date(nowMs).toISOString(),
    huge: 1e300,
    missing: undefined,
  }
  const about = dice.pick(Object.keys(times))
  return {
    about: `completedAt: ${about}`,
    value: toJson({ ...event, completedAt: times[about] }),
    event: null,
    outcomes: about === 'fraction' || about === 'text' ? ANY : DEAD_LETTER,
  }
}

/** Room for the headers of the batch and the record, the key and the variable-length integers. */
const HEAD_BYTES = 200

export function large(making: Making): Content {
  const { dice, event, world, number } = making
  const room = world.maxBatchBytes - HEAD_BYTES - dice.pick([0, 1, 40, 4_000, 60_000, 300_000])
  const key = Buffer.from(`${CANARY}${number}`)
  const alone = { isAlone: true, key }
  const bulk = (bytes: number): Buffer => dice.bulk(Math.max(0, bytes))
  const json = toJson(event)
  switch (dice.weighted({ value: 3, event: 3, key: 2, header: 3, headers: 2, trace: 2, compressible: 3 })) {
    case 'value':
      return {
        ...alone,
        about: 'a large value',
        value: bulk(room),
        event: null,
        outcomes: NO_RESULT,
        headers: [],
      }
    case 'event': {
      const head = `{"padding":"${'p'.repeat(Math.max(0, room - json.length - 20))}",`
      return {
        ...alone,
        about: 'a large event',
        value: Buffer.from(head + json.toString().slice(1)),
        event: null,
        outcomes: OUT,
        headers: [],
      }
    }
    case 'key':
      return {
        ...alone,
        about: 'a large key',
        key: bulk(room - json.length),
        value: json,
        event: null,
        outcomes: OUT,
        headers: [],
      }
    case 'header':
      return {
        ...alone,
        about: 'a large header',
        value: json,
        event: null,
        outcomes: OUT,
        headers: [['large', bulk(room - json.length)]],
      }
    case 'headers':
      return {
        ...alone,
        about: 'very many headers',
        value: json,
        event: null,
        outcomes: OUT,
        headers: Array.from({ length: dice.pick([9_000, 30_000]) }, (_, at) => [`h${at % 100}`, null]),
      }
    case 'trace':
      return {
        ...alone,
        about: 'a large tracestate',
        value: json,
        event: null,
        outcomes: OUT,
        headers: [['tracestate', bulk(room - json.length)]],
      }
    case 'compressible':
      return {
        ...alone,
        about: 'large unless compressed',
        value: Buffer.from(`{"padding":"${'p'.repeat(3_000_000)}",${json.toString().slice(1)}`),
        event: null,
        outcomes: OUT,
        headers: [],
      }
  }
}
