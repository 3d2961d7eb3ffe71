import { describe, expect, test } from 'vitest'
import type { Call } from '../../quota/arrivals.ts'
import type { Case } from '../../quota/cases.ts'
import { DISTURBANCES } from '../../quota/disturbances.ts'
import { figuresOf, usedAtLeast, type Observed } from '../../quota/promises.ts'
import { EVENT_SCENARIO, OUTSIDE_SCENARIO } from '../../quota/scenarios.ts'
import type { Standing } from '../../quota/standing.ts'

const CASE: Case = {
  name: 'x',
  mode: 'redis',
  permits: 10,
  replicas: 2,
  load: 'even',
  essential: false,
}
const PERIOD_NS = 1.02e9

function evenly(
  perPeriod: number,
  { seconds = 12, scenario = EVENT_SCENARIO, code = 'Success' } = {},
): Call[] {
  const everyNs = PERIOD_NS / perPeriod
  return Array.from({ length: Math.floor((seconds * 1e9) / everyNs) }, (_, at) => ({
    atNs: Math.round(at * everyNs),
    scenario,
    code,
  }))
}

function standing(change: Partial<Standing> = {}): Standing {
  return { atNs: 0, calls: 0, share: 5, waits: new Map(), hasWork: true, ...change }
}

const TWO = [
  { from: standing(), to: standing({ atNs: 1e9, calls: 5 }) },
  { from: standing(), to: standing({ atNs: 1e9, calls: 5 }) },
]

function observed(change: Partial<Observed> = {}): Observed {
  return {
    calls: evenly(10),
    calm: { fromNs: 1e9, toNs: 11e9 },
    troubled: null,
    stretches: TWO,
    ranDry: [],
    deaths: [],
    ...change,
  }
}

function waitsUpTo(seconds: number): Observed['stretches'] {
  const waits = new Map([seconds, Infinity].map((bound) => [bound, 100]))
  return [{ from: standing(), to: standing({ waits }) }]
}

function broken(change: Partial<Observed>, caseChanges: Partial<Case> = {}): readonly string[] {
  return figuresOf({ ...CASE, ...caseChanges }, observed(change), 1).broken
}

test('the promises hold if every window of one second plus guard has exactly N calls', () => {
  const figures = figuresOf(CASE, observed(), 1)
  expect(figures).toMatchObject({ max: 10, throttled: 0, unfairness: 1, broken: [] })
  expect(figures.used).toBeCloseTo(1 / 1.02, 6)
})

describe('a broken promise', () => {
  test('is reported for one call too many in any second, whether it is throttled or not', () => {
    expect(broken({ calls: evenly(10.5) })).toEqual(['11 calls arrived within one second'])
  })

  test('is reported for unused quota', () => {
    expect(broken({ calls: evenly(9.8) })).toEqual([
      'only 96.1 % of the quota was used, but at least 97.0 % is required',
    ])
    expect(broken({ calls: [] })).toHaveLength(1)
  })

  test('is reported for throttled calls', () => {
    const [first, ...others] = evenly(10)
    const refused = { atNs: first?.atNs ?? 0, scenario: EVENT_SCENARIO, code: 'Throttling.Api' }
    expect(broken({ calls: [refused, ...others] })).toEqual([
      `1 of ${others.length + 1} calls were throttled`,
    ])
  })

  test('is reported for a replica that crashed and for anything that makes its figures unusable', () => {
    expect(broken({ deaths: ['why'] })).toEqual(['a replica ended: why'])
    expect(broken({ ranDry: [3] })).toEqual(['partitions 3 ran out of work, so the measurement is void'])
    const changed = [{ from: standing(), to: standing({ share: 6, atNs: 1, calls: 1 }) }]
    expect(broken({ stretches: changed })).toEqual([
      'the shares changed in steady state, so the measurement is void',
    ])
  })

  test('is reported under light load for permits that take longer than the interval between permits', () => {
    const light = { load: 'light' } as const
    expect(broken({ calls: evenly(5), stretches: waitsUpTo(0.1) }, light)).toEqual([])
    expect(broken({ calls: evenly(5), stretches: waitsUpTo(0.2) }, light)).toEqual([
      'waiting for a permit took 200 ms (p99), but at most 100 ms is allowed',
    ])
  })
})

test('in partition mode, the usable quota is the sum of the shares of replicas with work', () => {
  const idle = { from: standing({ hasWork: false }), to: standing({ hasWork: false }) }
  const stretches = [TWO[0] ?? idle, idle]
  const partition = { mode: 'partition' } as const
  expect(broken({ stretches, calls: evenly(5) }, partition)).toEqual([])
  expect(broken({ stretches: TWO, calls: evenly(5) }, partition)).toHaveLength(1)
})

test('calls of another client are counted separately; the service makes room for them and may be throttled', () => {
  const disturbance = DISTURBANCES.find(({ name }) => name === 'outside-caller')
  if (disturbance === undefined) throw new Error('There is no such disturbance.')
  const outside = evenly(4, { scenario: OUTSIDE_SCENARIO })
  const merge = (own: readonly Call[]): Call[] => [...own, ...outside].toSorted((a, b) => a.atNs - b.atNs)
  const afterwards = { disturbance, mode: 'redis' } as const
  expect(broken({ calls: merge(evenly(10)) }, afterwards)).toEqual([
    '9.7 calls a second beside the outside caller, which is too many',
  ])
  const backsOff = merge(evenly(10).filter(({ atNs }, at) => atNs < 5.5e9 || at % 2 === 0))
  const figures = figuresOf(
    { ...CASE, ...afterwards },
    observed({ calls: backsOff, calm: { fromNs: 0, toNs: 5e9 } }),
    1,
  )
  expect(figures).toMatchObject({ max: 10, broken: [] })
})

test('slack lengthens the guard and lowers the required usage, but does not change the limit', () => {
  expect(usedAtLeast({}, 1)).toBeCloseTo(0.97, 6)
  expect(usedAtLeast({}, 4)).toBeCloseTo(0.887, 3)
  expect(usedAtLeast({ guardMs: 30 }, 1)).toBeCloseTo(0.9606, 3)
  expect(figuresOf(CASE, observed({ calls: evenly(10.5) }), 4).broken).toEqual([
    '11 calls arrived within one second',
  ])
})
