/** An event decoder with a fake registry, and values to decode. */
import { createEventDecoder } from '../../src/adapters/registry/decode-event.ts'
import type { Lookup, RegisteredSchema, Registry } from '../../src/adapters/registry/registry.ts'
import { schemaJson, schemaType } from '../../src/adapters/registry/schemas.ts'
import { NO_HEADERS, type Headers } from '../../src/core/records/headers.ts'
import type { VerificationCompleted } from '../../src/core/records/schema-types.ts'
import type { Decoded, ForeignKind, Undecodable } from '../../src/ports.ts'
import { FakeClock } from './fake-clock.ts'
import { fakeLog, fakeMetrics } from './fakes.ts'

/** The time of the decoder's clock. */
export const NOW_MS = Date.UTC(2026, 0, 1)

export const EVENT: VerificationCompleted = {
  transactionId: 'hkstest1',
  merchantBizId: 'biz1',
  productCode: 'ID_OCR',
  docType: '00000008',
  completedAt: 1_767_225_600_000,
  passed: 'Y',
  subCode: '200',
}

export const OURS: RegisteredSchema = {
  schemaType: 'AVRO',
  schema: schemaJson('verification-completed'),
  referenced: [],
}

const type = schemaType('verification-completed')

export function registered(schema: unknown, schemaTypeName = 'AVRO'): RegisteredSchema {
  return { schemaType: schemaTypeName, schema: JSON.stringify(schema), referenced: [] }
}

/** Confluent's framing. */
export function wire(id: number, body: Buffer): Buffer {
  const header = Buffer.alloc(5)
  header.writeInt32BE(id, 1)
  return Buffer.concat([header, body])
}

export function avro(event: unknown = EVENT): Buffer {
  return wire(7, type.toBuffer(event))
}

export function json(event: unknown = EVENT): Buffer {
  return Buffer.from(JSON.stringify(event))
}

export interface FakeRegistry extends Registry {
  readonly asked: readonly number[]
  /** Queued answers come first, then registered schemas. */
  readonly next: Lookup<RegisteredSchema>[]
}

export function registryOf(held: Readonly<Record<number, RegisteredSchema>> = { 7: OURS }): FakeRegistry {
  const asked: number[] = []
  const next: Lookup<RegisteredSchema>[] = []
  return {
    asked,
    next,
    schemaById: (id) => {
      asked.push(id)
      const value = held[id]
      return Promise.resolve(
        next.shift() ??
          (value === undefined ? { kind: 'not-found', missing: null } : { kind: 'found', value }),
      )
    },
    idBySchema: () => Promise.reject(new Error('The decoder must not call idBySchema.')),
  }
}

export function decoding(registry = registryOf()) {
  const clock = new FakeClock(NOW_MS)
  const decoder = createEventDecoder({ registry, clock, log: fakeLog(), metrics: fakeMetrics() })
  const decode = (value: Buffer | null, headers: Headers = NO_HEADERS) => decoder.decode(value, headers)
  /** Advances time until the result is there. */
  const decoded = async (value: Buffer | null, headers: Headers = NO_HEADERS): Promise<Decoded | null> => {
    const answer = decode(value, headers)
    await clock.advance(2_000)
    return answer
  }
  return { clock, decode, decoded, registry, decoder }
}

export type DecodedKind = Undecodable | ForeignKind | 'event'

export function decodedKind(decoded: Decoded): DecodedKind {
  if (decoded.kind === 'event') return 'event'
  return decoded.kind === 'foreign' ? decoded.foreign : decoded.code
}
