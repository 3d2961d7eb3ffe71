import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  committedRecords,
  type FetchedPartition,
  type FetchedRecord,
} from '../../../../dev/harness/aborted-records.ts'

type Step = readonly [producer: number, what: 'write' | 'abort' | 'commit']

/** A partition as a broker returns it after these steps, and the values that are committed. */
function partitionOf(steps: readonly Step[]): { fetched: FetchedPartition; committed: string[] } {
  const messages: FetchedRecord[] = []
  const aborted: { producerId: string; firstOffset: string }[] = []
  const open = new Map<number, string[]>()
  const committed: string[] = []
  for (const [producer, what] of steps) {
    const offset = String(messages.length)
    const written = open.get(producer) ?? []
    if (what !== 'write' && written.length === 0) continue
    const isControlRecord = what !== 'write'
    messages.push({
      offset,
      timestamp: '0',
      key: isControlRecord ? Buffer.from([0, 0, 0, what === 'commit' ? 1 : 0]) : null,
      value: null,
      isControlRecord,
      batchContext: { producerId: String(producer), inTransaction: true },
    })
    if (what === 'write') {
      open.set(producer, [...written, offset])
      continue
    }
    open.delete(producer)
    if (what === 'commit') committed.push(...written)
    else aborted.push({ producerId: String(producer), firstOffset: written[0] ?? '' })
  }
  // Records of open transactions are above the last stable offset, so no response contains them.
  const stable = Math.min(messages.length, ...[...open.values()].map(([first]) => Number(first)))
  const seen = (offset: string): boolean => Number(offset) < stable
  return {
    fetched: {
      messages: messages.filter(({ offset }) => seen(offset)),
      abortedTransactions: aborted.filter(({ firstOffset }) => seen(firstOffset)),
    },
    committed: committed.filter(seen).toSorted((left, right) => Number(left) - Number(right)),
  }
}

function offsetsOf(fetched: FetchedPartition): string[] {
  return committedRecords(fetched).map(({ offset }) => offset)
}

describe('read-committed consumption', () => {
  test('returns exactly the committed records of overlapping transactions', () => {
    const step = fc.tuple(fc.nat(3), fc.constantFrom('write', 'write', 'abort', 'commit'))
    fc.assert(
      fc.property(fc.array(step as fc.Arbitrary<Step>, { maxLength: 40 }), (steps) => {
        const { fetched, committed } = partitionOf(steps)
        expect(offsetsOf(fetched)).toEqual(committed)
      }),
      { numRuns: 1_000 },
    )
  })

  test('returns the committed records if it starts inside a transaction', () => {
    const steps: Step[] = [
      [0, 'write'],
      [1, 'write'],
      [2, 'write'],
      [1, 'write'],
      [0, 'write'],
      [2, 'write'],
      [2, 'commit'],
      [1, 'abort'],
      [0, 'abort'],
    ]
    const { fetched } = partitionOf(steps)
    const messages = fetched.messages.filter(({ offset }) => Number(offset) >= 3)
    expect(offsetsOf({ ...fetched, messages })).toEqual(['5'])
  })

  test('returns records that were written without a transaction, in any format', () => {
    const plain = { timestamp: '0', key: null, value: null }
    const messages = [
      { ...plain, offset: '0' },
      { ...plain, offset: '1', batchContext: { producerId: '-1', inTransaction: false } },
    ]
    expect(offsetsOf({ messages })).toEqual(['0', '1'])
  })
})
