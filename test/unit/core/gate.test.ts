import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Gate, type CallResult } from '../../../src/core/gate.ts'

const REFUSED: CallResult = { kind: 'blocked', reason: 'credentials' }
const UNAVAILABLE: CallResult = { kind: 'unavailable' }
const ANSWERED: CallResult = { kind: 'answered' }

function call(gate: Gate, result: CallResult, nowMs: number): boolean {
  const isProbe = gate.started()
  gate.report(result, isProbe, nowMs)
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
    for (let calls = 0; calls < 100; calls += 1) call(gate, { kind: 'throttled' }, 0)
    expect(gate.closed).toBeNull()
  })
})

describe('a closed gate', () => {
  test('lets another probe through at once when one was not sent after all', () => {
    const gate = closedGate()
    expect(gate.started()).toBe(true)
    expect(gate.waitMs(5_000)).toBe(Infinity)
    gate.report({ kind: 'unsent' }, true, 5_000)
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

  test.each([ANSWERED, { kind: 'throttled' } as const])('opens when the probe is $kind', (result) => {
    const gate = closedGate()
    expect(call(gate, result, 5_000)).toBe(true)
    expect(gate.closed).toBeNull()
    expect(gate.waitMs(5_000)).toBe(0)
  })

  test('begins with the shortest wait when it closes anew', () => {
    const gate = closedGate()
    call(gate, REFUSED, 5_000)
    call(gate, ANSWERED, 15_000)
    call(gate, REFUSED, 20_000)
    expect(gate.waitMs(20_000)).toBe(5_000)
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
    gate.report(ANSWERED, false, 100)
    expect(gate.closed).toBe('credentials')
  })

  test('keeps its reason and its wait when a call from before it closed is refused too', () => {
    const gate = closedGate()
    gate.report({ kind: 'blocked', reason: 'account' }, false, 100)
    expect(gate.closed).toBe('credentials')
    expect(gate.waitMs(100)).toBe(4_900)
  })

  test('takes the new reason when the probe meets another', () => {
    const gate = closedGate()
    call(gate, { kind: 'blocked', reason: 'account' }, 5_000)
    expect(gate.closed).toBe('account')
  })

  test('stays closed when the probe brings no answer', () => {
    const gate = closedGate()
    call(gate, UNAVAILABLE, 5_000)
    expect(gate.closed).toBe('upstream-down')
  })
})

test('only a probe ever opens the gate, and a closed one always names the time of its next probe', () => {
  const result = fc.constantFrom<CallResult>(ANSWERED, UNAVAILABLE, REFUSED, { kind: 'throttled' })
  fc.assert(
    fc.property(fc.array(fc.tuple(result, fc.boolean(), fc.nat(30_000))), (steps) => {
      const gate = new Gate()
      let nowMs = 0
      for (const [one, early, passMs] of steps) {
        nowMs += passMs
        const before = gate.closed
        const isProbe = !early && gate.waitMs(nowMs) === 0 && gate.started()
        gate.report(one, isProbe, nowMs)
        const opened = before !== null && gate.closed === null
        expect(opened && !isProbe).toBe(false)
        expect(gate.waitMs(nowMs)).toBeLessThanOrEqual(gate.closed === null ? 0 : 60_000)
      }
    }),
  )
})
