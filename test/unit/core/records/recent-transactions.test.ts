import { array, assert, constantFrom, oneof, property, tuple, type Arbitrary } from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  RecentTransactions,
  type TransactionOwner,
} from '../../../../src/core/records/recent-transactions.ts'

const WINDOW_MS = 60_000
const LIVE: TransactionOwner = { isWanted: () => true }

/** Begins a transaction that is not a repeat. */
function beginNew(
  recent: RecentTransactions,
  id: string,
  { nowMs = 0, owner = LIVE, partition = 0 } = {},
): number {
  const entryId = recent.begin(partition, id, owner, nowMs)
  if (entryId === null) throw new Error(`${id} is a repeat.`)
  return entryId
}

function repeats(
  recent: RecentTransactions,
  id: string,
  { nowMs = 0, owner = LIVE, partition = 0 } = {},
): boolean {
  return recent.begin(partition, id, owner, nowMs) === null
}

describe('a repeated transaction', () => {
  test('is recognized within the window and not after it', () => {
    const recent = new RecentTransactions(WINDOW_MS)
    beginNew(recent, 'a')
    expect(repeats(recent, 'a', { nowMs: WINDOW_MS - 1 })).toBe(true)
    expect(repeats(recent, 'a', { nowMs: WINDOW_MS })).toBe(false)
    expect(repeats(recent, 'a', { nowMs: WINDOW_MS + 1 })).toBe(true)
  })

  test('is recognized only on the same partition', () => {
    const recent = new RecentTransactions(WINDOW_MS)
    beginNew(recent, 'a', { partition: 1 })
    expect([repeats(recent, 'a', { partition: 2 }), repeats(recent, 'b', { partition: 1 })]).toEqual([
      false,
      false,
    ])
  })

  test('is not recognized if the previous event ended without a result', () => {
    const recent = new RecentTransactions(WINDOW_MS)
    recent.forget(beginNew(recent, 'a'))
    expect(repeats(recent, 'a')).toBe(false)
  })

  test('is not recognized if the lane dropped the previous event before its result was committed', () => {
    const recent = new RecentTransactions(WINDOW_MS)
    const over = { isOver: false }
    const owner = { isWanted: () => !over.isOver }
    beginNew(recent, 'a', { owner })
    recent.committed(beginNew(recent, 'b', { owner }))
    over.isOver = true
    expect([repeats(recent, 'a'), repeats(recent, 'b')]).toEqual([false, true])
  })

  test('is compared with the latest event, and a late outcome of an earlier event changes nothing', () => {
    const recent = new RecentTransactions(WINDOW_MS)
    const first = beginNew(recent, 'a')
    recent.forget(first)
    beginNew(recent, 'a')
    recent.forget(first)
    recent.committed(first)
    expect(repeats(recent, 'a')).toBe(true)
  })

  test('is never recognized with a window of 0', () => {
    const recent = new RecentTransactions(0)
    expect([repeats(recent, 'a'), repeats(recent, 'a')]).toEqual([false, false])
  })
})

test('the oldest transactions are forgotten if there are too many over all partitions', () => {
  const recent = new RecentTransactions(WINDOW_MS, 100)
  for (let number = 0; number < 500; number += 1) beginNew(recent, `id${number}`, { partition: number % 7 })
  expect(repeats(recent, 'id499', { partition: 499 % 7 })).toBe(true)
  expect(repeats(recent, 'id401', { partition: 401 % 7 })).toBe(true)
  expect(repeats(recent, 'id300', { partition: 300 % 7 })).toBe(false)
})

const LANES = ['input', 'retry', 'retry later'] as const
type LaneName = (typeof LANES)[number]
type End = 'result' | 'deferred' | 'dead letter'

interface Entry {
  readonly id: string
  state: 'waiting' | 'beginNew' | 'skipped' | End
  entryId: number
}

/** Two topics of one partition as lanes process them: started in order, finished in any order, committed as a prefix, dropped at any time. */
class Model {
  readonly results: string[] = []
  readonly deadLetters: string[] = []
  readonly #recent = new RecentTransactions(WINDOW_MS)
  readonly #entries: Record<LaneName, Entry[]> = { input: [], retry: [], 'retry later': [] }
  readonly #owners: Record<LaneName, { isOver: boolean }> = {
    input: { isOver: false },
    retry: { isOver: false },
    'retry later': { isOver: false },
  }

  arrive(id: string): void {
    this.#entries.input.push({ id, state: 'waiting', entryId: -1 })
  }

  begin(lane: LaneName): void {
    const entry = this.#entries[lane].find(({ state }) => state === 'waiting')
    if (entry === undefined) return
    const owner = this.#owners[lane]
    const entryId = this.#recent.begin(0, entry.id, { isWanted: () => !owner.isOver }, 0)
    entry.state = entryId === null ? 'skipped' : 'beginNew'
    entry.entryId = entryId ?? -1
  }

  end(lane: LaneName, how: End): void {
    const entry = this.#entries[lane].find(({ state }) => state === 'beginNew')
    if (entry === undefined) return
    entry.state = how
    if (how !== 'result') this.#recent.forget(entry.entryId)
  }

  commit(lane: LaneName): void {
    const entries = this.#entries[lane]
    for (;;) {
      const [first] = entries
      if (first === undefined || first.state === 'waiting' || first.state === 'beginNew') return
      entries.shift()
      if (first.state === 'dead letter') this.deadLetters.push(first.id)
      if (first.state === 'result') {
        this.results.push(first.id)
        this.#recent.committed(first.entryId)
      }
      const next = lane === 'input' ? 'retry' : 'retry later'
      if (first.state === 'deferred')
        this.#entries[next].push({ id: first.id, state: 'waiting', entryId: -1 })
    }
  }

  /** Everything that is not committed is read again. */
  drop(lane: LaneName): void {
    this.#owners[lane].isOver = true
    this.#owners[lane] = { isOver: false }
    for (const entry of this.#entries[lane]) entry.state = 'waiting'
  }

  finish(): void {
    for (const lane of LANES) {
      while (this.#entries[lane].length > 0) {
        this.begin(lane)
        this.end(lane, 'result')
        this.commit(lane)
      }
    }
  }
}

type Step = (model: Model) => void

const ids = constantFrom('a', 'b')
const lanes = constantFrom(...LANES)
const ends = constantFrom<End[]>('result', 'deferred', 'dead letter')
const going: Arbitrary<Step> = oneof(
  ids.map(
    (id): Step =>
      (model) =>
        model.arrive(id),
  ),
  lanes.map(
    (lane): Step =>
      (model) =>
        model.begin(lane),
  ),
  tuple(lanes, ends).map(
    ([lane, how]): Step =>
      (model) =>
        model.end(lane, how),
  ),
  lanes.map(
    (lane): Step =>
      (model) =>
        model.commit(lane),
  ),
)
const failing: Arbitrary<Step> = oneof(
  going,
  lanes.map(
    (lane): Step =>
      (model) =>
        model.drop(lane),
  ),
)

/** For any order of starts, commits, drops and repeated reads on three topics. */
test('every transaction gets an outcome', () => {
  assert(
    property(array(failing, { maxLength: 60 }), (steps) => {
      const model = new Model()
      model.arrive('a')
      for (const step of steps) step(model)
      model.finish()
      expect([...model.results, ...model.deadLetters]).toContain('a')
    }),
    { numRuns: 2_000 },
  )
})

test('without drops, a transaction gets a second result only if a dead letter comes between the two', () => {
  assert(
    property(array(going, { maxLength: 60 }), (steps) => {
      const model = new Model()
      for (const step of steps) step(model)
      model.finish()
      const twice = model.results.filter((id, at) => model.results.indexOf(id) !== at)
      expect(twice.filter((id) => !model.deadLetters.includes(id))).toEqual([])
    }),
    { numRuns: 2_000 },
  )
})
