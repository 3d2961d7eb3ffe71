import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Gate, type Call, type CallResult } from '../../../src/core/gate.ts'
import { RefusedRecord } from '../../../src/core/refusals.ts'

const REFUSED: CallResult = { kind: 'blocked', reason: 'credentials', code: 'Forbidden' }
const OTHER_REFUSAL: CallResult = { kind: 'blocked', reason: 'account', code: 'InsufficientBalance' }
const UNAVAILABLE: CallResult = { kind: 'unavailable', code: 'timeout', retryAfterMs: null }
const ANSWERED: CallResult = { kind: 'answered' }
const THROTTLED = throttled(null)

function throttled(retryAfterMs: number | null): CallResult {
  return { kind: 'throttled', code: 'Throttling.User', retryAfterMs }
}

/** A call that was under way when calls were paused. */
function straggler(startedMs = 0): Call {
  return { isProbe: false, startedMs, record: null }
}

function call(gate: Gate, result: CallResult, nowMs: number, record: RefusedRecord | null = null): boolean {
  const isProbe = gate.started()
  gate.report(result, { isProbe, startedMs: nowMs, record }, nowMs)
  return isProbe
}

function closedGate(): Gate {
  const gate = new Gate()
  call(gate, REFUSED, 0)
  return gate
}

describe('an open gate', () => {
  test('lets everybody through', () => {
    const gate = new Gate()
    expect(gate.closed).toBeNull()
    expect(gate.waitMs(0)).toBe(0)
    expect(gate.started()).toBe(false)
  })

  test('closes at the first refusal, with its reason', () => {
    expect(closedGate().closed).toBe('credentials')
  })

  test('closes when twenty calls in a row bring no answer, not at the nineteenth', () => {
    const gate = new Gate()
    for (let calls = 0; calls < 19; calls += 1) call(gate, UNAVAILABLE, 0)
    expect(gate.closed).toBeNull()
    call(gate, UNAVAILABLE, 0)
    expect(gate.closed).toBe('upstream-down')
  })

  test('forgets those without an answer when one is answered', () => {
    const gate = new Gate()
    for (let calls = 0; calls < 100; calls += 1) call(gate, calls % 19 === 18 ? ANSWERED : UNAVAILABLE, 0)
    expect(gate.closed).toBeNull()
  })

  test('stays open under throttling', () => {
    const gate = new Gate()
    for (let calls = 0; calls < 100; calls += 1) call(gate, THROTTLED, 0)
    expect(gate.closed).toBeNull()
  })
})

describe('a closed gate', () => {
  test('lets another probe through at once when one was not sent after all', () => {
    const gate = closedGate()
    expect(gate.started()).toBe(true)
    expect(gate.waitMs(5_000)).toBe(Infinity)
    gate.report({ kind: 'unsent' }, { ...straggler(), isProbe: true }, 5_000)
    expect([gate.closed, gate.waitMs(5_000)]).toEqual(['credentials', 0])
  })

  test('lets a probe through after five seconds', () => {
    const gate = closedGate()
    expect(gate.waitMs(1_000)).toBe(4_000)
    expect(gate.waitMs(5_000)).toBe(0)
    expect(gate.started()).toBe(true)
  })

  test('lets one probe through at a time', () => {
    const gate = closedGate()
    gate.started()
    expect(gate.waitMs(1_000_000)).toBe(Infinity)
  })

  test('probes every five seconds at first, then a tenth of the time apart that it is closed, a minute at most', () => {
    const gate = closedGate()
    const waits = new Map<number, number>()
    let nowMs = 0
    while (nowMs < 20 * 60_000) {
      const waitMs = gate.waitMs(nowMs)
      waits.set(nowMs, waitMs)
      nowMs += waitMs
      call(gate, REFUSED, nowMs)
    }
    const waitAfter = (closedMs: number) => waits.get([...waits.keys()].findLast((at) => at <= closedMs) ?? 0)
    expect(waitAfter(0)).toBe(5_000)
    expect(waitAfter(50_000)).toBe(5_000)
    expect(waitAfter(5 * 60_000)).toBeCloseTo(30_000, -4)
    expect(waitAfter(15 * 60_000)).toBe(60_000)
  })

  test.each([ANSWERED, THROTTLED])('opens when the probe is $kind', (result) => {
    const gate = closedGate()
    expect(call(gate, result, 5_000)).toBe(true)
    expect(gate.closed).toBeNull()
    expect(gate.waitMs(5_000)).toBe(0)
  })

  test('begins with the shortest wait when it closes anew', () => {
    const gate = closedGate()
    call(gate, REFUSED, 5_000)
    call(gate, ANSWERED, 15_000)
    call(gate, REFUSED, 30_000)
    expect(gate.waitMs(30_000)).toBe(5_000)
  })

  test('forgets how long it was closed when it opens', () => {
    const gate = closedGate()
    for (let nowMs = 5_000; nowMs <= 1_000_000; nowMs += 60_000) call(gate, REFUSED, nowMs)
    call(gate, ANSWERED, 1_100_000)
    call(gate, REFUSED, 1_200_000)
    expect(gate.waitMs(1_200_000)).toBe(5_000)
  })

  test('stays closed when a call from before it closed is answered', () => {
    const gate = closedGate()
    gate.report(ANSWERED, straggler(), 100)
    expect(gate.closed).toBe('credentials')
  })

  test('keeps its reason and its wait when a call from before it closed is refused too', () => {
    const gate = closedGate()
    gate.report(OTHER_REFUSAL, straggler(), 100)
    expect(gate.closed).toBe('credentials')
    expect(gate.waitMs(100)).toBe(4_900)
  })

  test('takes the new reason when the probe meets another', () => {
    const gate = closedGate()
    call(gate, OTHER_REFUSAL, 5_000)
    expect(gate.closed).toBe('account')
  })

  test('stays closed when the probe brings no answer', () => {
    const gate = closedGate()
    call(gate, UNAVAILABLE, 5_000)
    expect(gate.closed).toBe('upstream-down')
  })
})

describe('a record that is refused while others are answered', () => {
  test('pauses nobody: it is undecided at first, and its own once another was answered in between', () => {
    const gate = new Gate()
    const record = new RefusedRecord()
    call(gate, ANSWERED, 0)
    expect(gate.report(REFUSED, { ...straggler(10), record }, 20)).toBe('undecided')
    call(gate, ANSWERED, 30)
    expect(gate.report(REFUSED, { ...straggler(1_020), record }, 1_030)).toBe('record')
    expect(gate.closed).toBeNull()
  })

  test('lets another record probe at once when it was the only one to ask, and is its own after that', () => {
    const gate = new Gate()
    const record = new RefusedRecord()
    call(gate, REFUSED, 0, record)
    expect([gate.closed, gate.waitMs(1), gate.waitMs(1, false)]).toEqual(['credentials', 4_999, 0])
    expect(call(gate, ANSWERED, 1)).toBe(true)
    expect(gate.closed).toBeNull()
    expect(gate.report(REFUSED, { ...straggler(2), record }, 3)).toBe('record')
    expect(gate.closed).toBeNull()
  })

  test('is one of three that may be refused before everybody has to wait', () => {
    const gate = closedGate()
    const waits = [1, 2, 3].map((nowMs) => {
      const waitMs = gate.waitMs(nowMs, false)
      call(gate, REFUSED, nowMs)
      return waitMs
    })
    expect(waits).toEqual([0, 0, 4_999])
  })
})

describe('an account that is refused while calls flow', () => {
  test('is found out by twenty records in a row', () => {
    const gate = new Gate()
    call(gate, ANSWERED, 0)
    for (let calls = 0; calls < 19; calls += 1) call(gate, REFUSED, 10)
    expect(gate.closed).toBeNull()
    call(gate, REFUSED, 10)
    expect(gate.closed).toBe('credentials')
  })

  test('is found out by one record when nobody was answered for ten seconds', () => {
    const gate = new Gate()
    const record = new RefusedRecord()
    call(gate, ANSWERED, 0)
    call(gate, REFUSED, 9_000, record)
    expect(gate.closed).toBeNull()
    call(gate, REFUSED, 10_001, record)
    expect(gate.closed).toBe('credentials')
  })

  test('is not taken for the fault of the record that asks while calls are paused', () => {
    const gate = new Gate()
    const record = new RefusedRecord()
    call(gate, ANSWERED, 0)
    call(gate, REFUSED, 10, record)
    call(gate, ANSWERED, 20)
    for (let calls = 0; calls < 20; calls += 1) call(gate, REFUSED, 30)
    expect(gate.report(REFUSED, { isProbe: gate.started(), startedMs: 5_030, record }, 5_040)).toBe('account')
    expect(gate.pause).toEqual({ reason: 'credentials', code: 'Forbidden' })
  })

  test('names the code of the latest refusal', () => {
    const gate = closedGate()
    call(gate, OTHER_REFUSAL, 5_000)
    expect(gate.pause).toEqual({ reason: 'account', code: 'InsufficientBalance' })
  })
})

describe('how long the API asks to wait', () => {
  test('pauses calls for that long, with a reason, then lets one probe through', () => {
    const gate = new Gate()
    call(gate, throttled(30_000), 0)
    expect([gate.closed, gate.waitMs(0), gate.waitMs(0, false)]).toEqual(['throttled', 30_000, 30_000])
    expect(call(gate, ANSWERED, 30_000)).toBe(true)
    expect(gate.closed).toBeNull()
  })

  test('pauses calls again when the probe is told the same', () => {
    const gate = new Gate()
    call(gate, throttled(60_000), 0)
    call(gate, throttled(60_000), 60_000)
    expect([gate.closed, gate.waitMs(60_000)]).toEqual(['throttled', 60_000])
  })

  test('is left to the quota when it is short', () => {
    const gate = new Gate()
    call(gate, throttled(4_999), 0)
    expect(gate.closed).toBeNull()
  })

  test('puts off the first probe of an API that is down', () => {
    const gate = new Gate()
    for (let calls = 0; calls < 20; calls += 1) call(gate, { ...UNAVAILABLE, retryAfterMs: 20_000 }, 0)
    expect([gate.closed, gate.waitMs(0)]).toEqual(['upstream-down', 20_000])
  })
})

test('only a probe ever opens the gate, and a closed one always names the time of its next probe', () => {
  const result = fc.constantFrom(
    ANSWERED,
    UNAVAILABLE,
    REFUSED,
    THROTTLED,
    throttled(3_000),
    throttled(60_000),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(result, fc.boolean(), fc.nat(30_000))), (steps) => {
      const gate = new Gate()
      let nowMs = 0
      for (const [one, early, passMs] of steps) {
        nowMs += passMs
        const before = gate.closed
        const isProbe = !early && gate.waitMs(nowMs) === 0 && gate.started()
        gate.report(one, { isProbe, startedMs: nowMs, record: null }, nowMs)
        const opened = before !== null && gate.closed === null
        expect(opened && !isProbe).toBe(false)
        expect(gate.waitMs(nowMs)).toBeLessThanOrEqual(gate.closed === null ? 0 : 60_000)
      }
    }),
  )
})
