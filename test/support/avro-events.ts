/** Events in the Avro schemas of other producers, written by avsc. */
import avsc, { type Schema } from 'avsc'
import type { Decoded } from '../../src/ports.ts'
import { decoding, NOW_MS, registered, registryOf, wire } from './event-decoder.ts'

const OTHERS = { productCode: null, docType: null, passed: null, subCode: null }
export const TIME = { type: 'long', logicalType: 'timestamp-millis' }

export const PLAIN_EVENT = {
  transactionId: 'hkstest1',
  merchantBizId: 'biz1',
  completedAt: NOW_MS,
  ...OTHERS,
}

interface Types {
  readonly transactionId?: unknown
  readonly merchantBizId?: unknown
  readonly completedAt?: unknown
}

export interface RecordSchema {
  readonly type: 'record'
  readonly name: string
  readonly fields: readonly { readonly name: string; readonly type: unknown }[]
}

export function schemaOf(types: Types = {}, name = 'Callback'): RecordSchema {
  const { transactionId = 'string', merchantBizId = 'string', completedAt = TIME } = types
  const fields = Object.entries({ transactionId, merchantBizId, completedAt })
  return { type: 'record', name, fields: fields.map(([field, type]) => ({ name: field, type })) }
}

/** Values of unions are wrapped: `{ string: 'x' }`. */
export function written(schema: unknown, value: unknown): Buffer {
  return avsc.Type.forSchema(schema as Schema, { wrapUnions: true }).toBuffer(value)
}

export async function decodedAs(schema: unknown, body: Buffer): Promise<Decoded> {
  const answer = await decoding(registryOf({ 3: registered(schema) })).decoded(wire(3, body))
  if (answer === null) throw new Error('The decoder returned no answer.')
  return answer
}

export async function problemOf(schema: unknown, value: unknown): Promise<string> {
  const answer = await decodedAs(schema, written(schema, value))
  return answer.kind === 'undecodable' ? `${answer.code}: ${answer.message}` : answer.kind
}

/**
 * A varint before zigzag decoding: twice a positive number, or twice the absolute value of a negative one minus 1.
 */
export function varint(zigzag: bigint): Buffer {
  const bytes: number[] = []
  let rest = zigzag
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return Buffer.from([...bytes, Number(rest)])
}
