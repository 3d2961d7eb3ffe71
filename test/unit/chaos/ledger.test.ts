import { describe, expect, test } from 'vitest'
import { earlyRetries, Ledger } from '../../chaos/ledger.ts'
import type { ReadRecord } from '../../support/kafka.ts'

const TOPICS = { input: 'in', result: 'result', deadLetter: 'dead' }

function header(name: string, value: unknown): Record<string, string> {
  return { [`__connect.errors.${name}`]: String(value) }
}

/** A dead letter of an event, as the broker took it. */
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

  test('is empty-handed when each event came out once', () => {
    const ledger = ledgerOf(deadLetter(0, 0), deadLetter(0, 1), deadLetter(1, 0))
    expect(ledger.tally(ends)).toEqual({ events: 3, lost: 0, repeated: 0, strange: 0 })
  })

  test('counts what never came and what came again', () => {
    const ledger = ledgerOf(deadLetter(0, 1), deadLetter(0, 1), deadLetter(0, 1))
    expect(ledger.tally(ends)).toEqual({ events: 3, lost: 2, repeated: 2, strange: 0 })
  })

  test('counts what nobody sent: beyond the end, of an unknown partition, of another topic', () => {
    const ledger = ledgerOf(deadLetter(0, 2), deadLetter(9, 0), deadLetter(0, 0, 0, 'other'))
    expect(ledger.tally(ends)).toMatchObject({ strange: 3 })
  })

  test('holds far offsets', () => {
    const ledger = ledgerOf(deadLetter(0, 1_000_000))
    expect(ledger.tally(new Map([[0, 1_000_001]]))).toMatchObject({ events: 1_000_001, lost: 1_000_000 })
  })
})

describe('work has resumed', () => {
  test('when the last of the partitions has its first output again', () => {
    const ledger = ledgerOf(
      deadLetter(0, 0, 90),
      deadLetter(0, 1, 120),
      deadLetter(0, 2, 400),
      deadLetter(1, 0, 150),
    )
    expect(ledger.resumedAfter(100)).toBe(50)
  })

  test('never, when nothing came any more', () => {
    expect(ledgerOf(deadLetter(0, 0, 90)).resumedAfter(100)).toBeNull()
  })
})

test('a deferred event is asked for early when the last call came before its copy was due', () => {
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
