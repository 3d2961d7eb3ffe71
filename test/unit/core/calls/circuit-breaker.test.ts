import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CircuitBreaker, type Call, type CallResult } from '../../../../src/core/calls/circuit-breaker.ts'
import { RefusedRecord } from '../../../../src/core/calls/refusals.ts'

const REFUSED: CallResult = { kind: 'blocked', reason: 'credentials', code: 'Forbidden' }
const OTHER_REFUSAL: CallResult = { kind: 'blocked', reason: 'account', code: 'InsufficientBalance' }
const UNAVAILABLE: CallResult = { kind: 'unavailable', code: 'timeout', retryAfterMs: null }
const ANSWERED: CallResult = { kind: 'final' }
const THROTTLED = throttled(null)

function throttled(retryAfterMs: number | null): CallResult {
  return { kind: 'throttled', code: 'Throttling.User', retryAfterMs }
}

/** A call that was in flight when calls were paused. */
function straggler(startedMs = 0): Call {
  return { isProbe: false, startedMs, record: null }
}

function call(
  breaker: CircuitBreaker,
  result: CallResult,
  nowMs: number,
  record: RefusedRecord | null = null,
): boolean {
  const isProbe = breaker.callStarted()
  breaker.report(result, { isProbe, startedMs: nowMs, record }, nowMs)
  return isProbe
}

function openBreaker(): CircuitBreaker {
  const breaker = new CircuitBreaker()
  call(breaker, REFUSED, 0)
  return breaker
}

describe('a closed circuit breaker', () => {
  test('allows every call', () => {
    const breaker = new CircuitBreaker()
    expect(breaker.openReason).toBeNull()
    expect(breaker.waitMs(0)).toBe(0)
    expect(breaker.callStarted()).toBe(false)
  })

  test('opens at the first account rejection with its reason', () => {
    expect(openBreaker().openReason).toBe('credentials')
  })

  test('opens after twenty consecutive unanswered calls, not after nineteen', () => {
    const breaker = new CircuitBreaker()
    for (let calls = 0; calls < 19; calls += 1) call(breaker, UNAVAILABLE, 0)
    expect(breaker.openReason).toBeNull()
    call(breaker, UNAVAILABLE, 0)
    expect(breaker.openReason).toBe('upstream-down')
  })

  test('resets its count of unanswered calls when a call is answered', () => {
    const breaker = new CircuitBreaker()
    for (let calls = 0; calls < 100; calls += 1) call(breaker, calls % 19 === 18 ? ANSWERED : UNAVAILABLE, 0)
    expect(breaker.openReason).toBeNull()
  })

  test('stays closed under throttling', () => {
    const breaker = new CircuitBreaker()
    for (let calls = 0; calls < 100; calls += 1) call(breaker, THROTTLED, 0)
    expect(breaker.openReason).toBeNull()
  })
})

describe('an open circuit breaker', () => {
  test('allows another probe at once if the previous probe was not sent', () => {
    const breaker = openBreaker()
    expect(breaker.callStarted()).toBe(true)
    expect(breaker.waitMs(5_000)).toBe(Infinity)
    breaker.report({ kind: 'unsent' }, { ...straggler(), isProbe: true }, 5_000)
    expect([breaker.openReason, breaker.waitMs(5_000)]).toEqual(['credentials', 0])
  })

  test('allows a probe after five seconds', () => {
    const breaker = openBreaker()
    expect(breaker.waitMs(1_000)).toBe(4_000)
    expect(breaker.waitMs(5_000)).toBe(0)
    expect(breaker.callStarted()).toBe(true)
  })

  test('allows one probe at a time', () => {
    const breaker = openBreaker()
    breaker.callStarted()
    expect(breaker.waitMs(1_000_000)).toBe(Infinity)
  })

  test('probes every five seconds first, then at a tenth of the time it has been open, up to one minute', () => {
    const breaker = openBreaker()
    const waits = new Map<number, number>()
    let nowMs = 0
    while (nowMs < 20 * 60_000) {
      const waitMs = breaker.waitMs(nowMs)
      waits.set(nowMs, waitMs)
      nowMs += waitMs
      call(breaker, REFUSED, nowMs)
    }
    const waitAfter = (openMs: number) => waits.get([...waits.keys()].findLast((at) => at <= openMs) ?? 0)
    expect(waitAfter(0)).toBe(5_000)
    expect(waitAfter(50_000)).toBe(5_000)
    expect(waitAfter(5 * 60_000)).toBeCloseTo(30_000, -4)
    expect(waitAfter(15 * 60_000)).toBe(60_000)
  })

  test.each([ANSWERED, THROTTLED])('closes if the result of the probe is $kind', (result) => {
    const breaker = openBreaker()
    expect(call(breaker, result, 5_000)).toBe(true)
    expect(breaker.openReason).toBeNull()
    expect(breaker.waitMs(5_000)).toBe(0)
  })

  test('starts with the shortest interval when it opens again', () => {
    const breaker = openBreaker()
    call(breaker, REFUSED, 5_000)
    call(breaker, ANSWERED, 15_000)
    call(breaker, REFUSED, 30_000)
    expect(breaker.waitMs(30_000)).toBe(5_000)
  })

  test('forgets how long it was open when it closes', () => {
    const breaker = openBreaker()
    for (let nowMs = 5_000; nowMs <= 1_000_000; nowMs += 60_000) call(breaker, REFUSED, nowMs)
    call(breaker, ANSWERED, 1_100_000)
    call(breaker, REFUSED, 1_200_000)
    expect(breaker.waitMs(1_200_000)).toBe(5_000)
  })

  test('stays open when a call from before it opened is answered', () => {
    const breaker = openBreaker()
    breaker.report(ANSWERED, straggler(), 100)
    expect(breaker.openReason).toBe('credentials')
  })

  test('keeps its reason and interval when a call from before it opened is rejected', () => {
    const breaker = openBreaker()
    breaker.report(OTHER_REFUSAL, straggler(), 100)
    expect(breaker.openReason).toBe('credentials')
    expect(breaker.waitMs(100)).toBe(4_900)
  })

  test('adopts a new reason from a probe', () => {
    const breaker = openBreaker()
    call(breaker, OTHER_REFUSAL, 5_000)
    expect(breaker.openReason).toBe('account')
  })

  test('stays open if the probe is not answered', () => {
    const breaker = openBreaker()
    call(breaker, UNAVAILABLE, 5_000)
    expect(breaker.openReason).toBe('upstream-down')
  })
})

describe('a record that is rejected while others are answered', () => {
  test('does not pause calls: it is undecided first, and blamed itself once another record was answered', () => {
    const breaker = new CircuitBreaker()
    const record = new RefusedRecord()
    call(breaker, ANSWERED, 0)
    expect(breaker.report(REFUSED, { ...straggler(10), record }, 20)).toBe('undecided')
    call(breaker, ANSWERED, 30)
    expect(breaker.report(REFUSED, { ...straggler(1_020), record }, 1_030)).toBe('record')
    expect(breaker.openReason).toBeNull()
  })

  test('lets another record probe at once if it was the only one calling, and is blamed itself after that', () => {
    const breaker = new CircuitBreaker()
    const record = new RefusedRecord()
    call(breaker, REFUSED, 0, record)
    expect([breaker.openReason, breaker.waitMs(1), breaker.waitMs(1, false)]).toEqual([
      'credentials',
      4_999,
      0,
    ])
    expect(call(breaker, ANSWERED, 1)).toBe(true)
    expect(breaker.openReason).toBeNull()
    expect(breaker.report(REFUSED, { ...straggler(2), record }, 3)).toBe('record')
    expect(breaker.openReason).toBeNull()
  })

  test('is one of up to three that may be rejected in a row before every record has to wait', () => {
    const breaker = openBreaker()
    const waits = [1, 2, 3].map((nowMs) => {
      const waitMs = breaker.waitMs(nowMs, false)
      call(breaker, REFUSED, nowMs)
      return waitMs
    })
    expect(waits).toEqual([0, 0, 4_999])
  })
})

describe('an account that is rejected while calls flow', () => {
  test('is detected by twenty rejected records in a row', () => {
    const breaker = new CircuitBreaker()
    call(breaker, ANSWERED, 0)
    for (let calls = 0; calls < 19; calls += 1) call(breaker, REFUSED, 10)
    expect(breaker.openReason).toBeNull()
    call(breaker, REFUSED, 10)
    expect(breaker.openReason).toBe('credentials')
  })

  test('is detected by one record if no call was answered for ten seconds', () => {
    const breaker = new CircuitBreaker()
    const record = new RefusedRecord()
    call(breaker, ANSWERED, 0)
    call(breaker, REFUSED, 9_000, record)
    expect(breaker.openReason).toBeNull()
    call(breaker, REFUSED, 10_001, record)
    expect(breaker.openReason).toBe('credentials')
  })

  test('is not blamed on the record that probes while calls are paused', () => {
    const breaker = new CircuitBreaker()
    const record = new RefusedRecord()
    call(breaker, ANSWERED, 0)
    call(breaker, REFUSED, 10, record)
    call(breaker, ANSWERED, 20)
    for (let calls = 0; calls < 20; calls += 1) call(breaker, REFUSED, 30)
    expect(breaker.report(REFUSED, { isProbe: breaker.callStarted(), startedMs: 5_030, record }, 5_040)).toBe(
      'account',
    )
    expect(breaker.opened).toEqual({ reason: 'credentials', code: 'Forbidden' })
  })

  test('reports the code of the latest rejection', () => {
    const breaker = openBreaker()
    call(breaker, OTHER_REFUSAL, 5_000)
    expect(breaker.opened).toEqual({ reason: 'account', code: 'InsufficientBalance' })
  })
})

describe('a retry hint from the API', () => {
  test('pauses calls for that time with a reason, then allows one probe', () => {
    const breaker = new CircuitBreaker()
    call(breaker, throttled(30_000), 0)
    expect([breaker.openReason, breaker.waitMs(0), breaker.waitMs(0, false)]).toEqual([
      'throttled',
      30_000,
      30_000,
    ])
    expect(call(breaker, ANSWERED, 30_000)).toBe(true)
    expect(breaker.openReason).toBeNull()
  })

  test('pauses calls again if the probe gets another hint', () => {
    const breaker = new CircuitBreaker()
    call(breaker, throttled(60_000), 0)
    call(breaker, throttled(60_000), 60_000)
    expect([breaker.openReason, breaker.waitMs(60_000)]).toEqual(['throttled', 60_000])
  })

  test('is left to the quota if it is short', () => {
    const breaker = new CircuitBreaker()
    call(breaker, throttled(4_999), 0)
    expect(breaker.openReason).toBeNull()
  })

  test('delays the first probe of an unavailable API', () => {
    const breaker = new CircuitBreaker()
    for (let calls = 0; calls < 20; calls += 1) call(breaker, { ...UNAVAILABLE, retryAfterMs: 20_000 }, 0)
    expect([breaker.openReason, breaker.waitMs(0)]).toEqual(['upstream-down', 20_000])
  })
})

test('only a probe closes the circuit breaker, and an open one always knows when its next probe is due', () => {
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
      const breaker = new CircuitBreaker()
      let nowMs = 0
      for (const [one, early, passMs] of steps) {
        nowMs += passMs
        const before = breaker.openReason
        const isProbe = !early && breaker.waitMs(nowMs) === 0 && breaker.callStarted()
        breaker.report(one, { isProbe, startedMs: nowMs, record: null }, nowMs)
        const opened = before !== null && breaker.openReason === null
        expect(opened && !isProbe).toBe(false)
        expect(breaker.waitMs(nowMs)).toBeLessThanOrEqual(breaker.openReason === null ? 0 : 60_000)
      }
    }),
  )
})
