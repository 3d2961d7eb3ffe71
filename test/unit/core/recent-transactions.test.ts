import { array, assert, constantFrom, nat, property } from 'fast-check'
import { expect, test } from 'vitest'
import { RecentTransactions } from '../../../src/core/recent-transactions.ts'

const WINDOW_MS = 60_000

test('a transaction seen again within the window is a repeat, and after it none', () => {
  const recent = new RecentTransactions(WINDOW_MS)
  expect(recent.repeats('a', 0n, 0)).toBe(false)
  expect(recent.repeats('a', 1n, WINDOW_MS - 1)).toBe(true)
  expect(recent.repeats('a', 2n, WINDOW_MS)).toBe(false)
  expect(recent.repeats('a', 3n, WINDOW_MS + 1)).toBe(true)
})

test('other transactions are none', () => {
  const recent = new RecentTransactions(WINDOW_MS)
  expect([recent.repeats('a', 0n, 0), recent.repeats('b', 1n, 0)]).toEqual([false, false])
})

test('a record that is read again is no repeat of itself, nor of its own repeat', () => {
  const recent = new RecentTransactions(WINDOW_MS)
  expect([recent.repeats('a', 5n, 0), recent.repeats('a', 9n, 0)]).toEqual([false, true])
  expect([recent.repeats('a', 5n, 1), recent.repeats('a', 9n, 1)]).toEqual([false, true])
})

test('what is forgotten is no repeat', () => {
  const recent = new RecentTransactions(WINDOW_MS)
  recent.repeats('a', 0n, 0)
  recent.forget('a')
  expect(recent.repeats('a', 1n, 0)).toBe(false)
})

test('the oldest are forgotten where there are too many', () => {
  const recent = new RecentTransactions(WINDOW_MS)
  for (let number = 0; number < 5_000; number += 1) recent.repeats(`id${number}`, BigInt(number), 0)
  expect(recent.repeats('id0', 9_000n, 0)).toBe(false)
  expect(recent.repeats('id4999', 9_001n, 0)).toBe(true)
})

test('a window of 0 sees none', () => {
  const recent = new RecentTransactions(0)
  expect([recent.repeats('a', 0n, 0), recent.repeats('a', 1n, 0)]).toEqual([false, false])
})

/** Whatever is read again, and however often: the first record of each transaction is let through each time. */
test('reading again from anywhere never leaves a transaction without the record that stood for it', () => {
  const ids = array(constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 30 })
  assert(
    property(ids, array(nat(29), { maxLength: 5 }), (records, restarts) => {
      const recent = new RecentTransactions(WINDOW_MS)
      const refused = [0, ...restarts].flatMap((from) =>
        records
          .map((id, offset) => ({ id, offset }))
          .slice(from)
          .filter(({ id, offset }) => recent.repeats(id, BigInt(offset), 0)),
      )
      expect(refused.filter(({ id, offset }) => records.indexOf(id) === offset)).toEqual([])
    }),
  )
  expect.assertions(100)
})
