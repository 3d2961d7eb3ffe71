import { describe, expect, test } from 'vitest'
import { earlyRetries, Ledger } from '../../chaos/ledger.ts'
import type { ReadRecord } from '../../support/kafka.ts'

const TOPICS = { input: 'in', result: 'result', deadLetter: 'dead' }

function header(name: string, value: unknown): Record<string, string> {
  return { [`__connect.errors.${name}`]: String(value) }
}

/** A dead letter as the broker stored it. */
function deadLetter(partition: number, offset: number, timestampMs = 0, topic = 'in'): ReadRecord {
  return {
    topic: TOPICS.deadLetter,
    partition: 0,
    offset: 0n,
    timestampMs,
    key: null,
    value: null,
    headers: { ...header('topic', topic), ...header('partition', partition), ...header('offset', offset) },
  }
}

function ledgerOf(...records: readonly ReadRecord[]): Ledger {
  const ledger = new Ledger(TOPICS)
  for (const record of records) ledger.add(record)
  return ledger
}

describe('the tally', () => {
  const ends = new Map([
    [0, 2],
    [1, 1],
  ])

  test('reports nothing if each event came out once', () => {
    const ledger = ledgerOf(deadLetter(0, 0), deadLetter(0, 1), deadLetter(1, 0))
    expect(ledger.tally(ends)).toEqual({ events: 3, lost: 0, repeated: 0, strange: 0 })
  })

  test('counts lost events and duplicates', () => {
    const ledger = ledgerOf(deadLetter(0, 1), deadLetter(0, 1), deadLetter(0, 1))
    expect(ledger.tally(ends)).toEqual({ events: 3, lost: 2, repeated: 2, strange: 0 })
  })

  test('names the positions of lost events, in partitions with and without outputs', () => {
    expect(ledgerOf(deadLetter(0, 1)).missing(ends)).toEqual(['0:0', '1:0'])
  })

  test('counts outputs of events that were never sent: beyond the end, from an unknown partition or another topic', () => {
    const ledger = ledgerOf(deadLetter(0, 2), deadLetter(9, 0), deadLetter(0, 0, 0, 'other'))
    expect(ledger.tally(ends)).toMatchObject({ strange: 3 })
  })

  test('handles large offsets', () => {
    const ledger = ledgerOf(deadLetter(0, 1_000_000))
    expect(ledger.tally(new Map([[0, 1_000_001]]))).toMatchObject({ events: 1_000_001, lost: 1_000_000 })
  })
})

describe('the time when work resumed', () => {
  test('is when the last partition has output again', () => {
    const ledger = ledgerOf(
      deadLetter(0, 0, 90),
      deadLetter(0, 1, 120),
      deadLetter(0, 2, 400),
      deadLetter(1, 0, 150),
    )
    expect(ledger.resumedAfter(100)).toBe(50)
  })

  test('is null if there was no further output', () => {
    expect(ledgerOf(deadLetter(0, 0, 90)).resumedAfter(100)).toBeNull()
  })
})

test('a deferred event counts as early if its last call was made before its copy was due', () => {
  const deferred = ['early', 'in time', 'in time, and once by a former owner'].map((transactionId) => ({
    transactionId,
    timestampMs: 1_000,
  }))
  const calls = new Map([
    ['early', [900, 1_999]],
    ['in time', [900, 2_000]],
    ['in time, and once by a former owner', [900, 1_740, 2_010]],
  ])
  expect(earlyRetries(deferred, calls, 1_000)).toEqual(['call 2 of 2 came 999 ms after the copy was written'])
})
