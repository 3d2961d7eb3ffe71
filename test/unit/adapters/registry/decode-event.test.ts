import avsc, { type Schema, type Type } from 'avsc'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createEventDecoder } from '../../../../src/adapters/registry/decode-event.ts'
import { NO_HEADERS } from '../../../../src/core/records/headers.ts'
import type { VerificationCompleted } from '../../../../src/core/records/schema-types.ts'
import {
  FOREIGN_KINDS,
  UNDECODABLE,
  type Decoded,
  type ForeignKind,
  type Undecodable,
} from '../../../../src/ports.ts'
import {
  avro,
  decoding,
  EVENT,
  json,
  NOW_MS,
  OURS,
  registered,
  registryOf,
  decodedKind,
  wire,
  type FakeRegistry,
  type DecodedKind,
} from '../../../support/event-decoder.ts'
import { fakeLog, fakeMetrics } from '../../../support/fakes.ts'
import { FakeClock, flushPromises } from '../../../support/fake-clock.ts'
import { mutant, seeded } from '../../../support/mutants.ts'

const DAY_MS = 86_400_000
const EARLIEST_MS = Date.UTC(2015, 0, 1)

function typeOf(schema: unknown): Type {
  return avsc.Type.forSchema(schema as Schema)
}

async function problemOf(value: Buffer | null, registry?: FakeRegistry): Promise<DecodedKind> {
  const decoded = await decoding(registry).decoded(value)
  if (decoded === null) throw new Error('The decoder did not stop.')
  return decodedKind(decoded)
}

describe('an event', () => {
  test('is decoded from Avro and JSON', async () => {
    const { decoded } = decoding()
    expect(await decoded(avro())).toEqual({ kind: 'event', event: EVENT })
    expect(await decoded(json())).toEqual({ kind: 'event', event: EVENT })
  })

  test('is decoded unchanged for any content', async () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 })
    const optional = fc.option(fc.string({ unit: 'grapheme', maxLength: 100 }))
    const events: fc.Arbitrary<VerificationCompleted> = fc.record({
      transactionId: text,
      merchantBizId: text,
      productCode: optional,
      docType: optional,
      completedAt: fc.integer({ min: EARLIEST_MS, max: NOW_MS + DAY_MS }),
      passed: optional,
      subCode: optional,
    })
    const { decode, decoded } = decoding()
    await decoded(avro())
    fc.assert(
      fc.property(events, (event) => {
        expect(decode(avro(event))).toEqual({ kind: 'event', event })
        expect(decode(json(event))).toEqual({ kind: 'event', event })
      }),
    )
  })

  test('is decoded from JSON without optional fields and with additional ones', () => {
    const { transactionId, merchantBizId, completedAt } = EVENT
    const value = json({ transactionId, merchantBizId, completedAt, more: { besides: true } })
    expect(decoding().decode(value)).toEqual({
      kind: 'event',
      event: { ...EVENT, productCode: null, docType: null, passed: null, subCode: null },
    })
  })

  test('is decoded from another version of the schema', async () => {
    const older = {
      type: 'record',
      name: 'VerificationCompleted',
      namespace: 'checkresult.stream',
      fields: [
        { name: 'addedLater', type: 'string' },
        { name: 'merchantBizId', type: 'string' },
        { name: 'transactionId', type: 'string' },
        { name: 'completedAt', type: 'long' },
      ],
    }
    const event = { transactionId: 't', merchantBizId: 'b', completedAt: NOW_MS }
    const written = typeOf(older).toBuffer({ addedLater: 'x', ...event })
    const { decoded } = decoding(registryOf({ 3: registered(older) }))
    expect(await decoded(wire(3, written))).toMatchObject({ kind: 'event', event })
  })
})

/** Calls back at once because no test here waits for a registry. */
function after(_: number, callback: () => void): () => void {
  queueMicrotask(callback)
  return () => undefined
}

describe('a record that is not an event', () => {
  test.each<[Undecodable | ForeignKind, Buffer | null]>([
    ['tombstone', null],
    ['empty-value', Buffer.alloc(0)],
    ['value-too-large', Buffer.alloc(1024 * 1024 + 1, '{')],
    ['unknown-format', Buffer.from('<heartbeat/>')],
    ['unrelated-json', json({})],
    ['unrelated-json', json({ schema: null, payload: null })],
    ['unrelated-json', json({ type: 'heartbeat', at: NOW_MS })],
    ['unknown-format', Buffer.from([0, 0, 0, 0, 7])],
    ['unknown-format', Buffer.from([0])],
    ['malformed-avro', wire(7, Buffer.from([2]))],
    ['malformed-avro', wire(7, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff]))],
    ['malformed-avro', Buffer.concat([avro(), Buffer.from([0])])],
    ['malformed-json', Buffer.from('{"transactionId":')],
    ['malformed-json', Buffer.from('{} {}')],
    [
      'invalid-utf8',
      Buffer.concat([Buffer.from('{"transactionId":"'), Buffer.from([0xff]), Buffer.from('"}')]),
    ],
    ['invalid-event', json({ passed: 'Y' })],
    ['invalid-event', json({ ...EVENT, transactionId: '' })],
    ['invalid-event', json({ ...EVENT, transactionId: 7 })],
    ['invalid-event', json({ ...EVENT, transactionId: 'x'.repeat(257) })],
    ['invalid-event', json({ ...EVENT, completedAt: '2026-01-01' })],
    ['invalid-event', json({ ...EVENT, completedAt: 1.5 })],
    ['invalid-event', json({ ...EVENT, completedAt: -1 })],
    ['invalid-event', json({ ...EVENT, completedAt: NOW_MS + DAY_MS + 1 })],
    ['invalid-event', json({ ...EVENT, completedAt: EARLIEST_MS - 1 })],
    ['invalid-event', avro({ ...EVENT, merchantBizId: '' })],
  ])('is reported as %s', async (code, value) => {
    expect(await problemOf(value)).toBe(code)
  })

  test('is reported as wrong-schema if it was written with an unrelated schema', async () => {
    const other = { type: 'record', name: 'Other', fields: [{ name: 'id', type: 'string' }] }
    const value = wire(9, typeOf(other).toBuffer({ id: 'x' }))
    expect(await problemOf(value, registryOf({ 9: registered(other) }))).toBe('wrong-schema')
  })

  test('is described by field and kind, never by value', async () => {
    const secret = 'TESTPERSON'
    const { decoded } = decoding()
    const values = [
      json({ ...EVENT, completedAt: secret, docType: [secret] }),
      Buffer.from(`{"${secret}":`),
      Buffer.from(secret),
      Buffer.concat([avro({ ...EVENT, transactionId: secret }), Buffer.from(secret)]),
    ]
    const all = JSON.stringify(await Promise.all(values.map((value) => decoded(value))))
    expect(all).not.toContain(secret)
    expect(all).toContain(
      'completedAt: expected milliseconds since 1970 as an integer, got a string that is not an ISO 8601 time with a time zone',
    )
    expect(all).toContain('docType: expected a string of 0 to 256 characters, got a list')
  })

  test('is returned as a value without an exception for ten thousand damaged events', async () => {
    const random = seeded(1)
    const healthy = [avro(), json()]
    const immediate = { after, monotonicMs: () => 0, epochMs: () => NOW_MS }
    const { decode } = createEventDecoder({
      registry: registryOf(),
      clock: immediate,
      log: fakeLog(),
      metrics: fakeMetrics(),
    })
    const met = new Set<DecodedKind>()
    for (let run = 0; run < 10_000; run += 1) {
      const broken = mutant(healthy[run % 2] ?? json(), random)
      const decoded = await decode(broken, NO_HEADERS)
      if (decoded === null || decoded.kind === 'event')
        throw new Error(`An event was read from ${broken.toString('hex')}.`)
      met.add(decodedKind(decoded))
    }
    expect([...UNDECODABLE, ...FOREIGN_KINDS]).toEqual(expect.arrayContaining([...met]))
    expect([...met].toSorted()).toEqual([
      'empty-value',
      'invalid-event',
      'invalid-utf8',
      'malformed-avro',
      'malformed-json',
      'unknown-format',
      'unknown-schema',
      'unsupported-format',
    ])
  })

  test('is returned as a value without an exception for any bytes', async () => {
    const { decode } = decoding(registryOf({}))
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 60 }).filter(([first]) => first !== 0)
    fc.assert(
      fc.property(bytes, (value) => {
        expect(['undecodable', 'foreign']).toContain((decode(Buffer.from(value)) as Decoded).kind)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('the schema of an event', () => {
  test('is requested once for any number of waiting events and then cached', async () => {
    const { decode, decoded, registry } = decoding()
    const waiting = [decode(avro()), decode(avro())]
    expect(waiting.every((one) => one instanceof Promise)).toBe(true)
    for (const one of waiting) await one
    expect(decode(avro())).toEqual({ kind: 'event', event: EVENT })
    await decoded(avro())
    expect(registry.asked).toEqual([7])
  })

  test.each([{ kind: 'failed', status: null } as const, { kind: 'refused' } as const])(
    'is requested again until the registry is available: $kind',
    async (away) => {
      const { decode, clock, registry } = decoding()
      registry.next.push(...Array.from({ length: 8 }, () => away))
      let answer: Decoded | null | undefined
      void Promise.resolve(decode(avro())).then((decoded) => (answer = decoded))
      await clock.advance(250 + 500 + 1_000 + 2_000 + 4_000 + 5_000 + 5_000)
      expect([answer, registry.asked.length]).toEqual([undefined, 8])
      await clock.advance(5_000)
      expect(answer).toEqual({ kind: 'event', event: EVENT })
    },
  )

  test('is requested a second time if the registry does not know it, because a replica may lag', async () => {
    const { decoded, registry } = decoding()
    registry.next.push({ kind: 'not-found', missing: null })
    expect(await decoded(avro())).toEqual({ kind: 'event', event: EVENT })
  })

  test('is requested a second time even if the registry was unavailable before', async () => {
    const { decoded, registry } = decoding()
    registry.next.push({ kind: 'failed', status: null }, { kind: 'not-found', missing: null })
    expect(await decoded(avro())).toEqual({ kind: 'event', event: EVENT })
  })

  test('is unknown for a minute after the second request', async () => {
    const { decode, decoded, registry, clock } = decoding(registryOf({}))
    expect(await decoded(avro())).toMatchObject({ code: 'unknown-schema' })
    expect(decode(avro())).toMatchObject({ code: 'unknown-schema' })
    expect(registry.asked).toEqual([7, 7])
    await clock.advance(60_000)
    registry.next.push({ kind: 'found', value: OURS })
    expect(await decoded(avro())).toEqual({ kind: 'event', event: EVENT })
  })

  test('is not requested for a JSON event', async () => {
    const { decode, registry } = decoding()
    expect(decode(json())).not.toBeInstanceOf(Promise)
    await flushPromises()
    expect(registry.asked).toEqual([])
  })

  test('is awaited until the service stops, while other events are decoded', async () => {
    const clock = new FakeClock()
    const registry = registryOf()
    registry.next.push({ kind: 'failed', status: null }, { kind: 'failed', status: null })
    const decoder = createEventDecoder({ registry, clock, log: fakeLog(), metrics: fakeMetrics() })
    const waiting = decoder.decode(avro(), NO_HEADERS)
    await flushPromises()
    expect(decoder.waiting).toBe(1)
    decoder.stop()
    expect([await waiting, decoder.waiting]).toEqual([null, 0])
    expect(decoder.decode(json(), NO_HEADERS)).toEqual({ kind: 'event', event: EVENT })
  })
})
