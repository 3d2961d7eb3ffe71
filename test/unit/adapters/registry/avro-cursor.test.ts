import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodedAs, PLAIN_EVENT, schemaOf, varint, written } from '../../../support/avro-events.ts'
import { decodedKind } from '../../../support/event-decoder.ts'

/** A list of these items in front of our fields. */
function lists(items: unknown): object {
  const tags = { name: 'tags', type: { type: 'array', items } }
  return { ...schemaOf(), fields: [tags, ...schemaOf().fields] }
}

describe('bytes that contradict their schema', () => {
  const tail = written(schemaOf(), PLAIN_EVENT)

  test.each([
    ['a count of 100 million', lists('string'), varint(200_000_000n)],
    ['a count of 2^62', lists('string'), varint(2n ** 63n)],
    ['a negative count without a size', lists('string'), varint(199_999_999n)],
    ['a block of a negative size', lists('string'), Buffer.concat([varint(3n), varint(5n)])],
    ['a length of 2^40', schemaOf(), varint(2n ** 41n)],
    ['a negative length', schemaOf(), varint(3n)],
    ['a number of eleven bytes', schemaOf(), Buffer.alloc(11, 0xff)],
    ['a union branch that does not exist', schemaOf({ transactionId: ['null', 'string'] }), varint(8n)],
  ])('stop the decoder at once: %s', async (_, schema, head) => {
    const startedMs = performance.now()
    expect(decodedKind(await decodedAs(schema, Buffer.concat([head, tail])))).toBe('malformed-avro')
    expect(performance.now() - startedMs).toBeLessThan(1_000)
  })

  test('a count of 2^62 items without bytes is skipped', async () => {
    const value = Buffer.concat([varint(2n ** 63n), varint(0n), tail])
    expect(await decodedAs(lists('null'), value)).toEqual({ kind: 'event', event: PLAIN_EVENT })
  })

  test('a list nested deeper than the stack is rejected', async () => {
    const node = { type: 'record', name: 'Node', fields: [{ name: 'next', type: ['null', 'Node'] }] }
    const schema = { ...schemaOf(), fields: [{ name: 'node', type: node }, ...schemaOf().fields] }
    expect(decodedKind(await decodedAs(schema, Buffer.alloc(500_000, 2)))).toBe('malformed-avro')
  })
})

interface Written {
  readonly type: unknown
  readonly value: unknown
}

let records = 0

/** A record with a unique name. */
function recordOf({ type, value }: Written): Written {
  records += 1
  return {
    type: { type: 'record', name: `R${records}`, fields: [{ name: 'of', type }] },
    value: { of: value },
  }
}

/** Types with values written by avsc, placed between our fields. */
const others: fc.Arbitrary<Written> = fc.letrec<{ one: Written }>((tie) => ({
  one: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant({ type: 'null', value: null }),
    fc.boolean().map((value) => ({ type: 'boolean', value })),
    fc.integer().map((value) => ({ type: 'int', value })),
    fc.integer({ min: -(2 ** 50), max: 2 ** 50 }).map((value) => ({ type: 'long', value })),
    fc.double({ noNaN: true }).map((value) => ({ type: 'double', value })),
    fc.constant({ type: 'float', value: 1.5 }),
    fc.string({ unit: 'grapheme' }).map((value) => ({ type: 'string', value })),
    fc.uint8Array().map((value) => ({ type: 'bytes', value: Buffer.from(value) })),
    tie('one').map(({ type, value }) => ({ type: { type: 'array', items: type }, value: [value, value] })),
    tie('one').map(({ type, value }) => ({ type: { type: 'map', values: type }, value: { a: value } })),
    tie('one').map(recordOf),
  ),
})).one

test('an event that avsc wrote is decoded among any other fields', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(others, { maxLength: 4 }), fc.nat(4), async (extra, at) => {
      const mine = schemaOf().fields
      const more = extra.map(({ type }, number) => ({ name: `more${number}`, type }))
      const fields = [...mine.slice(0, at), ...more, ...mine.slice(at)]
      const schema = { type: 'record', name: 'Wide', fields }
      const value = {
        ...PLAIN_EVENT,
        ...Object.fromEntries(extra.map((one, number) => [`more${number}`, one.value])),
      }
      expect(await decodedAs(schema, written(schema, value))).toEqual({ kind: 'event', event: PLAIN_EVENT })
    }),
    { numRuns: 300 },
  )
})
