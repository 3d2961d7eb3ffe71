import avsc, { type Schema, type Type } from 'avsc'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createEventDecoder } from '../../../../src/adapters/registry/decode-event.ts'
import type { Lookup, Registry } from '../../../../src/adapters/registry/registry.ts'
import { schemaType } from '../../../../src/adapters/registry/schemas.ts'
import type { VerificationCompleted } from '../../../../src/core/schema-types.ts'
import { UNDECODABLE, type Decoded, type Undecodable } from '../../../../src/ports.ts'
import { fakeLog, fakeMetrics } from '../../../support/fakes.ts'
import { FakeClock, settle } from '../../../support/fake-clock.ts'
import { mutant, seeded } from '../../../support/mutants.ts'

const EVENT: VerificationCompleted = {
  transactionId: 'hkstest1',
  merchantBizId: 'biz1',
  productCode: 'ID_OCR',
  docType: '00000008',
  completedAt: 1_767_225_600_000,
  passed: 'Y',
  subCode: '200',
}
/** The last moment a date can hold. */
const LATEST_MS = 8_640_000_000_000_000
const type = schemaType('verification-completed')

function typeOf(schema: unknown): Type {
  return avsc.Type.forSchema(schema as Schema)
}

function wire(id: number, body: Buffer): Buffer {
  const header = Buffer.alloc(5)
  header.writeInt32BE(id, 1)
  return Buffer.concat([header, body])
}

function avro(event: unknown = EVENT): Buffer {
  return wire(7, type.toBuffer(event))
}

function json(event: unknown = EVENT): Buffer {
  return Buffer.from(JSON.stringify(event))
}

interface FakeRegistry extends Registry {
  readonly asked: readonly number[]
  /** Answers in this order, then by what it holds. */
  readonly next: Lookup<Type>[]
}

function registryOf(held: Readonly<Record<number, Type>> = { 7: type }): FakeRegistry {
  const asked: number[] = []
  const next: Lookup<Type>[] = []
  return {
    asked,
    next,
    schemaById: (id) => {
      asked.push(id)
      const value = held[id]
      return Promise.resolve(
        next.shift() ?? (value === undefined ? { kind: 'not-found' } : { kind: 'found', value }),
      )
    },
    idBySchema: () => Promise.reject(new Error('not asked for here')),
  }
}

function decoding(registry = registryOf()) {
  const clock = new FakeClock()
  const { decode } = createEventDecoder({ registry, clock, log: fakeLog(), metrics: fakeMetrics() })
  /** Lets time pass until the answer is there. */
  const decoded = async (value: Buffer | null): Promise<Decoded | null> => {
    const answer = decode(value)
    await clock.advance(2_000)
    return answer
  }
  return { clock, decode, decoded, registry }
}

async function faultOf(value: Buffer | null, registry?: FakeRegistry): Promise<Undecodable | 'event'> {
  const decoded = await decoding(registry).decoded(value)
  if (decoded === null) throw new Error('Nobody stopped the decoder.')
  return decoded.kind === 'event' ? 'event' : decoded.code
}

describe('an event', () => {
  test('is read from Avro and from JSON', async () => {
    const { decoded } = decoding()
    expect(await decoded(avro())).toEqual({ kind: 'event', event: EVENT })
    expect(await decoded(json())).toEqual({ kind: 'event', event: EVENT })
  })

  test('comes out as it went in, whatever is in it', async () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 })
    const optional = fc.option(fc.string({ unit: 'grapheme', maxLength: 100 }))
    const events: fc.Arbitrary<VerificationCompleted> = fc.record({
      transactionId: text,
      merchantBizId: text,
      productCode: optional,
      docType: optional,
      completedAt: fc.integer({ min: 0, max: LATEST_MS }),
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

  test('is read from JSON that leaves out what is optional and has more besides', () => {
    const { transactionId, merchantBizId, completedAt } = EVENT
    const value = json({ transactionId, merchantBizId, completedAt, more: { besides: true } })
    expect(decoding().decode(value)).toEqual({
      kind: 'event',
      event: { ...EVENT, productCode: null, docType: null, passed: null, subCode: null },
    })
  })

  test('is read from another version of the schema', async () => {
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
    const event = { transactionId: 't', merchantBizId: 'b', completedAt: 1 }
    const written = typeOf(older).toBuffer({ addedLater: 'x', ...event })
    const { decoded } = decoding(registryOf({ 3: typeOf(older) }))
    expect(await decoded(wire(3, written))).toMatchObject({ kind: 'event', event })
  })
})

/** Calls back at once: nobody waits for a registry here. */
function after(_: number, callback: () => void): () => void {
  queueMicrotask(callback)
  return () => undefined
}

describe('what is no event', () => {
  test.each<[Undecodable, Buffer | null]>([
    ['tombstone', null],
    ['empty-value', Buffer.alloc(0)],
    ['value-too-large', Buffer.alloc(1024 * 1024 + 1, '{')],
    ['unknown-format', Buffer.from('<event/>')],
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
    ['invalid-event', json({})],
    ['invalid-event', json({ ...EVENT, transactionId: '' })],
    ['invalid-event', json({ ...EVENT, transactionId: 7 })],
    ['invalid-event', json({ ...EVENT, transactionId: 'x'.repeat(257) })],
    ['invalid-event', json({ ...EVENT, completedAt: '2026-01-01' })],
    ['invalid-event', json({ ...EVENT, completedAt: 1.5 })],
    ['invalid-event', json({ ...EVENT, completedAt: -1 })],
    ['invalid-event', json({ ...EVENT, completedAt: LATEST_MS + 1 })],
    ['invalid-event', avro({ ...EVENT, merchantBizId: '' })],
  ])('is told as %s', async (code, value) => {
    expect(await faultOf(value)).toBe(code)
  })

  test('is told as wrong-schema when it was written with the schema of something else', async () => {
    const other = typeOf({ type: 'record', name: 'Other', fields: [{ name: 'id', type: 'string' }] })
    expect(await faultOf(wire(9, other.toBuffer({ id: 'x' })), registryOf({ 9: other }))).toBe('wrong-schema')
  })

  test('is told by field and kind, never by value', async () => {
    const secret = 'TESTPERSON'
    const { decoded } = decoding()
    const values = [
      json({ ...EVENT, completedAt: secret, docType: [secret] }),
      Buffer.from(`{"${secret}":`),
      Buffer.from(secret),
      Buffer.concat([avro({ ...EVENT, transactionId: secret }), Buffer.from(secret)]),
    ]
    const all = JSON.stringify(await Promise.all(values.map(decoded)))
    expect(all).not.toContain(secret)
    expect(all).toContain('completedAt: invalid_type')
  })

  test('is a value for ten thousand broken events, never a throw', async () => {
    const random = seeded(1)
    const healthy = [avro(), json()]
    const immediate = { after, monotonicMs: () => 0 }
    const { decode } = createEventDecoder({
      registry: registryOf(),
      clock: immediate,
      log: fakeLog(),
      metrics: fakeMetrics(),
    })
    const met = new Set<Undecodable>()
    for (let run = 0; run < 10_000; run += 1) {
      const broken = mutant(healthy[run % 2] ?? json(), random)
      const decoded = await decode(broken)
      if (decoded?.kind !== 'undecodable')
        throw new Error(`An event was read from ${broken.toString('hex')}.`)
      met.add(decoded.code)
    }
    expect(UNDECODABLE).toEqual(expect.arrayContaining([...met]))
    expect([...met].toSorted()).toEqual([
      'empty-value',
      'invalid-event',
      'invalid-utf8',
      'malformed-avro',
      'malformed-json',
      'unknown-format',
      'unknown-schema',
    ])
  })

  test('is a value for any bytes at all', async () => {
    const { decode } = decoding(registryOf({}))
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 60 }).filter(([first]) => first !== 0)
    fc.assert(
      fc.property(bytes, (value) => {
        expect(decode(Buffer.from(value))).toMatchObject({ kind: 'undecodable' })
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('the schema of an event', () => {
  test('is asked for once, however many wait for it, and then answered at once', async () => {
    const { decode, decoded, registry } = decoding()
    const waiting = [decode(avro()), decode(avro())]
    expect(waiting.every((one) => one instanceof Promise)).toBe(true)
    for (const one of waiting) await one
    expect(decode(avro())).toEqual({ kind: 'event', event: EVENT })
    await decoded(avro())
    expect(registry.asked).toEqual([7])
  })

  test.each([{ kind: 'failed' } as const, { kind: 'refused' } as const])(
    'is asked for again and again while the registry is away: $kind',
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

  test('is asked for once more when the registry does not know it: a replica may lag', async () => {
    const { decoded, registry } = decoding()
    registry.next.push({ kind: 'not-found' })
    expect(await decoded(avro())).toEqual({ kind: 'event', event: EVENT })
  })

  test('is asked for once more also when the registry was away before', async () => {
    const { decoded, registry } = decoding()
    registry.next.push({ kind: 'failed' }, { kind: 'not-found' })
    expect(await decoded(avro())).toEqual({ kind: 'event', event: EVENT })
  })

  test('is given up at the second time, for a minute', async () => {
    const { decode, decoded, registry, clock } = decoding(registryOf({}))
    expect(await decoded(avro())).toMatchObject({ code: 'unknown-schema' })
    expect(decode(avro())).toMatchObject({ code: 'unknown-schema' })
    expect(registry.asked).toEqual([7, 7])
    await clock.advance(60_000)
    registry.next.push({ kind: 'found', value: type })
    expect(await decoded(avro())).toEqual({ kind: 'event', event: EVENT })
  })

  test('is not asked for by an event in JSON', async () => {
    const { decode, registry } = decoding()
    expect(decode(json())).not.toBeInstanceOf(Promise)
    await settle()
    expect(registry.asked).toEqual([])
  })

  test('is waited for until the service stops, while all else is decoded on', async () => {
    const clock = new FakeClock()
    const registry = registryOf()
    registry.next.push({ kind: 'failed' }, { kind: 'failed' })
    const decoder = createEventDecoder({ registry, clock, log: fakeLog(), metrics: fakeMetrics() })
    const waiting = decoder.decode(avro())
    await settle()
    expect(decoder.waiting).toBe(1)
    decoder.stop()
    expect([await waiting, decoder.waiting]).toEqual([null, 0])
    expect(decoder.decode(json())).toEqual({ kind: 'event', event: EVENT })
  })
})
