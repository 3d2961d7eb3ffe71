import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OffsetTracker, type Tracked } from '../../../../src/pipeline/delivery/offset-tracker.ts'

const ALL = (): boolean => true

function tracking(...offsets: number[]): OffsetTracker<string, string> {
  const tracker = new OffsetTracker<string, string>((item) => item.length)
  for (const offset of offsets) tracker.add(BigInt(offset), `record ${offset}`)
  return tracker
}

/** Starts every record and finishes the given ones. */
function finish(tracker: OffsetTracker<string, string>, ...offsets: number[]): void {
  for (let entry = tracker.peek(); entry !== undefined; entry = tracker.peek()) {
    if (offsets.includes(Number(entry.offset))) entry.result = 'done'
    tracker.begin()
  }
}

describe('the finished prefix', () => {
  test('is empty while the oldest record is not finished', () => {
    const tracker = tracking(3, 4, 7)
    finish(tracker, 4, 7)
    expect(tracker.prefix(10, ALL)).toBeNull()
  })

  test('ends before the first unfinished record', () => {
    const tracker = tracking(3, 4, 7, 9)
    finish(tracker, 3, 4, 9)
    expect(tracker.prefix(10, ALL)).toMatchObject({
      finished: [{ offset: 3n }, { offset: 4n }],
      nextOffset: 5n,
    })
  })

  test('skips offset gaps and returns the offset after its last record', () => {
    const tracker = tracking(3, 900)
    finish(tracker, 3, 900)
    expect(tracker.prefix(10, ALL)?.nextOffset).toBe(901n)
  })

  test('is not longer than the requested maximum', () => {
    const tracker = tracking(1, 2, 3)
    finish(tracker, 1, 2, 3)
    expect(tracker.prefix(2, ALL)).toMatchObject({ finished: { length: 2 }, nextOffset: 3n })
  })

  test('ends before the first record that the predicate rejects, and does not check accepted records twice', () => {
    const tracker = tracking(1, 2, 3, 4)
    finish(tracker, 1, 2, 3)
    const asked: string[] = []
    const answers = [true, true, false, true]
    const passes = (result: string): boolean => {
      asked.push(result)
      return answers[asked.length - 1] ?? false
    }
    expect(tracker.prefix(10, passes)?.nextOffset).toBe(3n)
    expect(tracker.prefix(10, passes)?.nextOffset).toBe(4n)
    expect(asked).toHaveLength(4)
  })
})

describe('a commit', () => {
  test('removes the records below it and keeps the others started', () => {
    const tracker = tracking(1, 2, 3)
    tracker.begin()
    tracker.begin()
    tracker.removeBelow(2n)
    expect([tracker.size, tracker.oldest?.offset, tracker.peek()?.offset]).toEqual([2, 2n, 3n])
  })

  test('beyond the last buffered record removes everything', () => {
    const tracker = tracking(1, 2)
    expect(tracker.removeBelow(100n).map(({ offset }) => offset)).toEqual([1n, 2n])
    tracker.add(100n, 'new')
    expect([tracker.size, tracker.peek()?.offset]).toEqual([1, 100n])
  })

  test('of a prefix removes its records, and nothing if they were cleared and read again meanwhile', () => {
    const tracker = tracking(1, 2)
    const first = tracker.peek()
    if (first !== undefined) first.result = 'done'
    const prefix = tracker.prefix(10, () => true)
    if (prefix === null) throw new Error('There is no prefix.')
    tracker.clear()
    tracker.add(1n, 'again')
    expect([tracker.committed(prefix), tracker.size]).toEqual([false, 1])
    const again = tracker.peek()
    if (again !== undefined) again.result = 'done'
    const second = tracker.prefix(10, () => true)
    expect([second !== null && tracker.committed(second), tracker.size]).toEqual([true, 0])
  })
})

interface Modeled {
  readonly offset: number
  readonly weight: number
  /** The value that the tracker returned when the work started; closures of the lane keep a reference to it. */
  entry: Tracked<number, string> | null
}

type Step = readonly [kind: 'add' | 'begin' | 'finish' | 'commit' | 'clear', number: number]

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('add', 'add', 'begin', 'begin', 'finish', 'finish', 'commit', 'clear'),
  fc.nat(9),
)

/** The simplest possible implementation: a list that is searched every time. */
class Model {
  readonly tracker = new OffsetTracker<number, string>((weight) => weight)
  records: Modeled[] = []
  #last = 0

  apply([kind, number]: Step): void {
    this[kind](number)
  }

  prefix(limit: number): number[] {
    const open = this.records.findIndex(({ entry }) => entry?.result !== 'done')
    return (open === -1 ? this.records : this.records.slice(0, open))
      .slice(0, limit)
      .map(({ offset }) => offset)
  }

  add(weight: number): void {
    this.#last += 1 + (weight % 3)
    this.records.push({ offset: this.#last, weight, entry: null })
    this.tracker.add(BigInt(this.#last), weight)
  }

  begin(): void {
    const next = this.records.find(({ entry }) => entry === null)
    const entry = this.tracker.peek()
    if (entry?.offset !== offsetOf(next?.offset)) throw new Error('An unexpected record was started.')
    if (next === undefined || entry === undefined) return
    next.entry = entry
    this.tracker.begin()
  }

  finish(choice: number): void {
    const begun = this.records.filter(({ entry }) => entry !== null)
    const entry = begun[choice % Math.max(1, begun.length)]?.entry
    if (entry) entry.result = 'done'
  }

  commit(limit: number): void {
    const last = this.prefix(limit + 1).at(-1)
    if (last === undefined) return
    this.records = this.records.filter(({ offset }) => offset > last)
    const prefix = this.tracker.prefix(limit + 1, () => true)
    if (prefix === null || !this.tracker.committed(prefix)) throw new Error('The prefix is not tracked.')
  }

  clear(): void {
    this.records = []
    this.tracker.clear()
  }
}

test('the tracker behaves like a naive model for any sequence of operations', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 1, max: 6 }), (steps, limit) => {
      const model = new Model()
      const { tracker } = model
      for (const one of steps) {
        model.apply(one)
        expect(tracker.size).toBe(model.records.length)
        expect(tracker.bytes).toBe(model.records.reduce((sum, { weight }) => sum + weight, 0))
        expect(tracker.oldest?.offset).toBe(offsetOf(model.records[0]?.offset))
        const prefix = tracker.prefix(limit, ALL)
        expect(prefix?.finished.map(({ offset }) => Number(offset)) ?? []).toEqual(model.prefix(limit))
        const last = model.prefix(limit).at(-1)
        expect(prefix?.nextOffset).toBe(last === undefined ? undefined : BigInt(last) + 1n)
      }
    }),
    { numRuns: 200 },
  )
})

function offsetOf(offset: number | undefined): bigint | undefined {
  return offset === undefined ? undefined : BigInt(offset)
}
