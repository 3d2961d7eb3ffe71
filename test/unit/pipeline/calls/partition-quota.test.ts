import { describe, expect, test } from 'vitest'
import { PartitionQuota } from '../../../../src/pipeline/calls/partition-quota.ts'
import type { Moment } from '../../../../src/ports.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

const WINDOW_MS = 1_020
const LEASE_MS = 9_000

function quota(permits = 10) {
  const clock = new FakeClock()
  const made = new PartitionQuota({ permits, windowMs: WINDOW_MS, burst: permits, leaseMs: LEASE_MS, clock })
  let notified = 0
  made.onAvailable(() => (notified += 1))
  const now = (): Moment => ({ monotonicMs: clock.monotonicMs(), epochMs: clock.epochMs() })
  /** Makes as many calls as are allowed now, each sent at once. */
  const calls = (): number => {
    let count = 0
    for (const nowMs = clock.monotonicMs(); made.take(nowMs) === 0; count += 1) made.confirm(nowMs, nowMs)
    return count
  }
  const assign = (generation: number, share: number): void =>
    made.assigned({ generation, share, sent: now() })
  /** Time passes and then a heartbeat succeeds. */
  const pass = async (ms: number): Promise<void> => {
    await clock.advance(ms)
    made.heartbeat(now())
  }
  const rejoin = async (generation: number, share: number): Promise<void> => {
    made.stop()
    await clock.advance(1)
    assign(generation, share)
  }
  return { quota: made, clock, now, calls, assign, rejoin, pass, notified: () => notified }
}

async function assignedFor(share: number) {
  const made = quota()
  made.assign(1, share)
  await made.pass(WINDOW_MS)
  return made
}

describe('a share of the quota', () => {
  test('is usable one window after a replica without a share gets it, because its predecessor may have made calls', async () => {
    const { assign, calls, pass, quota: limiter } = quota()
    expect([calls(), limiter.take(0)]).toEqual([0, Infinity])
    assign(1, 4)
    expect([calls(), limiter.take(0)]).toEqual([0, WINDOW_MS])
    await pass(WINDOW_MS)
    expect(calls()).toBe(4)
  })

  test('is usable one window after it grew, and the old share meanwhile', async () => {
    const { rejoin, calls, pass } = await assignedFor(3)
    await rejoin(2, 8)
    expect(calls()).toBe(3)
    await pass(WINDOW_MS - 1)
    expect(calls()).toBe(0)
    await pass(500)
    expect(calls()).toBe(8)
  })

  test('applies at once if it shrank, including calls that were already made', async () => {
    const { rejoin, calls, pass } = await assignedFor(8)
    expect(calls()).toBe(8)
    await pass(WINDOW_MS / 2)
    await rejoin(2, 3)
    expect(calls()).toBe(0)
    await pass(WINDOW_MS / 2 - 1)
    expect(calls()).toBe(3)
  })

  test('is not carried over if a generation was missed', async () => {
    const { rejoin, calls, pass } = await assignedFor(8)
    await rejoin(3, 8)
    expect(calls()).toBe(0)
    await pass(WINDOW_MS)
    expect(calls()).toBe(8)
  })

  test('is limited to its minimum if it changes twice within a window', async () => {
    const { rejoin, calls, pass } = await assignedFor(8)
    await rejoin(2, 1)
    await pass(500)
    await rejoin(3, 8)
    expect(calls()).toBe(1)
  })

  test('grants nothing and needs no timer if it is zero (hot standby)', async () => {
    const { assign, pass, quota: limiter, clock } = quota()
    assign(1, 0)
    await pass(5_000)
    expect([limiter.take(clock.monotonicMs()), limiter.unavailable]).toEqual([Infinity, null])
  })
})

describe('the quota during a rebalance', () => {
  test('grants no permits and rejects those that have not started', async () => {
    const { assign, quota: limiter, clock, calls } = await assignedFor(5)
    const takenMs = clock.monotonicMs()
    expect(limiter.take(takenMs)).toBe(0)
    limiter.stop()
    expect(limiter.take(takenMs)).toBe(Infinity)
    await clock.advance(1)
    assign(2, 5)
    expect(limiter.confirm(takenMs, takenMs)).toBe(false)
    expect(calls()).toBe(5)
  })

  test('notifies the queue after the assignment', () => {
    const { assign, notified } = quota()
    assign(1, 5)
    expect(notified()).toBe(1)
  })
})

describe('the quota lease', () => {
  test('ends when the last successful heartbeat was sent too long ago: no permit is granted and the reason is reported', async () => {
    const { clock, quota: limiter, now, notified } = await assignedFor(5)
    const sent = now()
    await clock.advance(LEASE_MS - 1)
    const takenMs = clock.monotonicMs()
    expect(limiter.take(takenMs)).toBe(0)
    await clock.advance(1)
    expect(limiter.confirm(takenMs, clock.monotonicMs())).toBe(false)
    expect([limiter.take(clock.monotonicMs()), limiter.unavailable]).toEqual([
      Infinity,
      expect.stringContaining('heartbeat'),
    ])
    limiter.heartbeat(sent)
    expect(limiter.take(clock.monotonicMs())).toBe(Infinity)
    const notifiedBefore = notified()
    limiter.heartbeat(now())
    expect([limiter.unavailable, notified() - notifiedBefore, limiter.take(clock.monotonicMs())]).toEqual([
      null,
      1,
      0,
    ])
  })

  test('also ends by the wall clock, because the monotonic clock stops while a machine is suspended', async () => {
    const { clock, quota: limiter, calls, pass } = await assignedFor(5)
    clock.jump(LEASE_MS)
    expect([calls(), limiter.unavailable === null]).toEqual([0, false])
    await pass(0)
    expect(calls()).toBe(5)
  })

  test('continues when the wall clock is set back', async () => {
    const { clock, calls } = await assignedFor(5)
    clock.jump(-3_600_000)
    expect(calls()).toBe(5)
  })
})
