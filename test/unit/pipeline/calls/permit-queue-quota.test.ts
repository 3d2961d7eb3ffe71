import { describe, expect, test } from 'vitest'
import { UNLIMITED } from '../../../../src/core/quota/token-bucket.ts'
import type { RateLimiter } from '../../../../src/ports.ts'
import { flushPromises } from '../../../support/fake-clock.ts'
import { queueWith } from '../../../support/permit-queue.ts'

function withRemoteQuota() {
  const asked: number[] = []
  let listener: (() => void) | null = null
  const state = { permits: 0, unavailable: null as string | null }
  const limiter: RateLimiter = {
    get unavailable() {
      return state.unavailable
    },
    onAvailable: (notified) => {
      listener = notified
    },
    take: (_nowMs, waiting) => {
      asked.push(waiting)
      if (state.permits === 0) return Infinity
      state.permits -= 1
      return 0
    },
    confirm: () => true,
    throttled: () => undefined,
  }
  const change = (changes: Partial<typeof state>): void => {
    Object.assign(state, changes)
    listener?.()
  }
  return { ...queueWith({ limiter, maxInFlight: 3 }), asked, change }
}

test('the limiter is notified once per permit, when its call starts or is given up without starting', async () => {
  const notified: [takenMs: number, nowMs: number][] = []
  const limiter: RateLimiter = {
    ...UNLIMITED,
    confirm: (takenMs, nowMs) => {
      notified.push([takenMs, nowMs])
      return false
    },
  }
  const { queue, clock } = queueWith({ limiter })
  const tooLate = await queue.acquire('fresh', 'in:0', () => true)
  await clock.advance(5)
  expect(tooLate?.confirm()).toBe(false)
  tooLate?.release({ kind: 'unsent' })
  const failed = await queue.acquire('fresh', 'in:0', () => true)
  await clock.advance(5)
  failed?.release({ kind: 'unavailable', code: 'timeout', retryAfterMs: null })
  expect(notified).toEqual([
    [0, 5],
    [5, 10],
  ])
})

describe('a permit queue with a remote quota', () => {
  test('grants permits when the quota becomes available, without a timer', async () => {
    const { ask, names, clock, change } = withRemoteQuota()
    ask('a')
    ask('b')
    await clock.advance(60_000)
    expect([names(), clock.timers]).toEqual([[], 0])
    change({ permits: 1 })
    await flushPromises()
    expect(names()).toEqual(['a'])
  })

  test('reports how many permits it could use, limited by the maximum number of concurrent calls', async () => {
    const { ask, asked, change } = withRemoteQuota()
    for (const name of ['a', 'b', 'c', 'd', 'e']) ask(name)
    change({ permits: 2 })
    await flushPromises()
    expect(asked).toEqual([1, 2, 3, 3, 3, 3, 2, 1])
  })

  test('opens the circuit breaker while the quota is unavailable and closes it when the quota returns', async () => {
    const { ask, names, change, queue, metrics, log } = withRemoteQuota()
    ask('a')
    change({ unavailable: 'The quota is unavailable.' })
    change({ unavailable: 'The quota is unavailable.' })
    expect(queue.openReason).toBe('quota-unavailable')
    change({ unavailable: null, permits: 1 })
    await flushPromises()
    expect([queue.openReason, names()]).toEqual([null, ['a']])
    expect(metrics.of('circuit')).toEqual([['quota-unavailable'], [null]])
    expect(log.lines).toHaveLength(2)
  })
})
