import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { historyHeaders, readHistory, type History } from '../../../../src/core/records/history.ts'
import { headersOf } from '../../../support/headers.ts'

const FRESH: History = {
  attempts: 0,
  firstSeenMs: 1_700_000_000_000,
  source: { topic: 'in', partition: 1, offset: 2n },
  redrives: 0,
}

const history = fc.record({
  attempts: fc.integer({ min: 1, max: 1_000_000 }),
  firstSeenMs: fc.integer({ min: 1, max: 8_640_000_000_000_000 }),
  source: fc.record({
    topic: fc.stringMatching(/^[\w.-]{1,249}$/),
    partition: fc.nat(999_999_999),
    offset: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  }),
  redrives: fc.nat(1_000),
})

describe('the history of an event', () => {
  test('is read from its headers unchanged', () => {
    fc.assert(
      fc.property(history, (one) => {
        expect(readHistory(historyHeaders(one), FRESH)).toEqual(one)
      }),
    )
  })

  test('is new without headers', () => {
    expect(readHistory([], FRESH)).toEqual(FRESH)
  })

  test.each([
    ['checkresult-attempts', ''],
    ['checkresult-attempts', '-3'],
    ['checkresult-attempts', '1.5'],
    ['checkresult-attempts', 'many'],
    ['checkresult-attempts', '99999999999999999999'],
    ['checkresult-first-seen', '0'],
    ['checkresult-first-seen', 'yesterday'],
    ['checkresult-redrives', '-1'],
    ['checkresult-redrives', 'often'],
    ['checkresult-source', 'in:1'],
    ['checkresult-source', 'in:one:2'],
    ['checkresult-source', 'in:1:-2'],
    ['checkresult-source', 'in put:1:2'],
  ])('ignores the invalid header %s "%s"', (name, text) => {
    expect(readHistory(headersOf({ [name]: text }), FRESH)).toEqual(FRESH)
  })

  test('uses the last value of a repeated header', () => {
    const twice = headersOf({ 'checkresult-attempts': ['3', '4'] })
    expect(readHistory(twice, FRESH)).toEqual({ ...FRESH, attempts: 4 })
  })

  test('is read from any headers without throwing', () => {
    const bytes = fc.uint8Array().map((value) => Buffer.from(value))
    const value = fc.option(bytes)
    const name = fc.constantFrom('checkresult-attempts', 'checkresult-first-seen', 'checkresult-source')
    fc.assert(
      fc.property(fc.array(fc.record({ name, value })), (headers) => {
        const { attempts, firstSeenMs } = readHistory(headers, FRESH)
        expect(Number.isSafeInteger(attempts) && Number.isSafeInteger(firstSeenMs)).toBe(true)
      }),
    )
  })
})
