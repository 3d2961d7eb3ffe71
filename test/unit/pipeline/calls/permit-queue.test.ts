import { describe, expect, test } from 'vitest'
import { TokenBucket } from '../../../../src/core/quota/token-bucket.ts'
import type { CallResult } from '../../../../src/core/calls/circuit-breaker.ts'
import type { Priority } from '../../../../src/ports.ts'
import { flushPromises } from '../../../support/fake-clock.ts'
import { ANSWERED, REFUSED, limited, queueWith, throttled } from '../../../support/permit-queue.ts'

describe('a permit', () => {
  test('is granted at once if nothing blocks it', async () => {
    const { ask, names, queue } = queueWith()
    ask('a')
    await flushPromises()
    expect([names(), queue.inFlight]).toEqual([['a'], 1])
  })

  test('waits until fewer than the maximum number of calls are in flight', async () => {
    const { ask, names, release, queue } = queueWith({ maxInFlight: 1 })
    ask('a')
    ask('b')
    await flushPromises()
    expect(names()).toEqual(['a'])
    release(ANSWERED)
    await flushPromises()
    expect([names(), queue.inFlight]).toEqual([['a', 'b'], 1])
  })

  test('waits for the quota, with a timer only while there are waiters', async () => {
    const { ask, granted, clock } = queueWith({ limiter: limited() })
    for (const name of ['a', 'b', 'c']) ask(name)
    await clock.advance(1_000)
    expect(granted.map(({ atMs }) => atMs)).toEqual([0, 100, 200])
    expect(clock.timers).toBe(0)
  })

  test('uses no quota while the maximum number of calls is in flight', async () => {
    const limiter = limited()
    const { ask, clock } = queueWith({ limiter, maxInFlight: 1 })
    ask('a')
    ask('b')
    await clock.advance(10_000)
    expect(limiter.take(10_000)).toBe(0)
  })

  test('reports how long its record waited', async () => {
    const { ask, clock, metrics } = queueWith({ limiter: limited() })
    ask('a')
    ask('b')
    await clock.advance(500)
    expect(metrics.of('permitGranted')).toEqual([
      ['fresh', 0],
      ['fresh', 0.1],
    ])
  })
})

async function order(count: number): Promise<string[]> {
  const made = queueWith({ maxInFlight: 1 })
  made.ask('first')
  for (let index = 0; index < count; index += 1) {
    for (const priority of ['redriven', 'deferred', 'fresh'] as const) made.ask(priority, priority)
  }
  for (let index = 0; index < count * 3; index += 1) {
    await flushPromises()
    made.release(ANSWERED)
  }
  await flushPromises()
  return made.names().slice(1)
}

describe('permit priorities', () => {
  test('serve fresh work first, then deferred, then redriven', async () => {
    expect(await order(2)).toEqual(['fresh', 'fresh', 'deferred', 'deferred', 'redriven', 'redriven'])
  })

  test('guarantee a minimum share to each lower priority', async () => {
    const served = (await order(40)).slice(0, 40)
    const count = (priority: string) => served.filter((name) => name === priority).length
    expect([count('deferred'), count('redriven')]).toEqual([4, 2])
  })

  test('serve waiters of the same priority in order of arrival', async () => {
    const { ask, release, names } = queueWith({ maxInFlight: 1 })
    for (const name of ['a', 'b', 'c']) ask(name)
    await flushPromises()
    release(ANSWERED)
    await flushPromises()
    release(ANSWERED)
    await flushPromises()
    expect(names()).toEqual(['a', 'b', 'c'])
  })
})

describe('a canceled waiter', () => {
  test('gets null when its turn comes and uses no quota', async () => {
    let isWanted = true
    const { ask, granted, clock } = queueWith({ limiter: limited() })
    ask('a')
    ask('b', 'fresh', () => isWanted)
    ask('c')
    isWanted = false
    await clock.advance(100)
    expect(granted.map(({ name, ticket, atMs }) => [name, ticket === null, atMs])).toEqual([
      ['a', false, 0],
      ['b', true, 100],
      ['c', false, 100],
    ])
  })

  test('is removed by a sweep before its turn', async () => {
    let isWanted = true
    const { ask, granted, queue } = queueWith()
    queue.pause('rebalance')
    ask('a', 'fresh', () => isWanted)
    ask('b')
    isWanted = false
    queue.sweep()
    await flushPromises()
    expect(granted).toEqual([{ name: 'a', ticket: null, atMs: 0 }])
    queue.resume('rebalance')
    await flushPromises()
    expect(granted).toHaveLength(2)
  })
})

describe('a paused permit queue', () => {
  test('grants no permits when calls finish until it is resumed', async () => {
    const { ask, queue, names, release } = queueWith()
    ask('a')
    await flushPromises()
    queue.pause('rebalance')
    ask('b')
    release(ANSWERED)
    await flushPromises()
    expect([names(), queue.inFlight]).toEqual([['a'], 0])
    queue.resume('rebalance')
    await flushPromises()
    expect(names()).toEqual(['a', 'b'])
  })

  test('grants no permits when the quota allows more', async () => {
    const { ask, queue, names, clock } = queueWith({ limiter: limited() })
    ask('a')
    ask('b')
    queue.pause('rebalance')
    await clock.advance(10_000)
    expect(names()).toEqual(['a'])
  })
})

async function withOpenBreaker() {
  const made = queueWith()
  made.ask('a')
  await flushPromises()
  made.release(REFUSED)
  made.ask('b', 'fresh', () => true, true)
  made.ask('c', 'fresh', () => true, true)
  await flushPromises()
  return made
}

describe('an open circuit breaker in the permit queue', () => {
  test('grants a permit only to one probe when the next probe is due', async () => {
    const { queue, names, clock } = await withOpenBreaker()
    expect([queue.openReason, names()]).toEqual(['credentials', ['a']])
    await clock.advance(4_999)
    expect(names()).toEqual(['a'])
    await clock.advance(60_000)
    expect(names()).toEqual(['a', 'b'])
  })

  test('closes for all waiters when the probe succeeds', async () => {
    const { queue, names, clock, release } = await withOpenBreaker()
    await clock.advance(5_000)
    release(ANSWERED)
    await flushPromises()
    expect([queue.openReason, names()]).toEqual([null, ['a', 'b', 'c']])
  })

  test('delays the next probe when a probe fails', async () => {
    const { names, clock, release } = await withOpenBreaker()
    await clock.advance(5_000)
    release(REFUSED)
    await clock.advance(4_999)
    expect(names()).toEqual(['a', 'b'])
    await clock.advance(1)
    expect(names()).toEqual(['a', 'b', 'c'])
  })

  test('is reported once when it opens and once when it closes', async () => {
    const { metrics, log, clock, release } = await withOpenBreaker()
    await clock.advance(5_000)
    release(ANSWERED)
    expect(metrics.of('circuit')).toEqual([['credentials'], [null]])
    expect(log.lines).toHaveLength(2)
  })
})

describe('the probe of an open circuit breaker', () => {
  test('prefers a record that was not rejected yet, regardless of its priority and position in the queue', async () => {
    const { ask, names, clock } = await withOpenBreaker()
    ask('d', 'redriven')
    await clock.advance(0)
    expect(names()).toEqual(['a', 'd'])
  })

  test('rotates among rejected records if there are no others', async () => {
    const { ask, names, clock, release } = await withOpenBreaker()
    await clock.advance(5_000)
    release(REFUSED)
    ask('b', 'fresh', () => true, true)
    await clock.advance(5_000)
    release(REFUSED)
    await clock.advance(5_000)
    expect(names()).toEqual(['a', 'b', 'c', 'b'])
  })
})

test('throttling slows the quota down for as long as the API asked', async () => {
  const { ask, release, granted, clock } = queueWith({ limiter: limited() })
  ask('a')
  await flushPromises()
  ask('b')
  release(throttled(2_500))
  await clock.advance(5_000)
  expect(granted.map(({ atMs }) => atMs)).toEqual([0, 2_500])
})

test('the queue is saturated if the waiters ahead equal the concurrent calls, or all waiters equal many times that', () => {
  const { ask, queue } = queueWith({ maxInFlight: 2 })
  const saturated = () => (['fresh', 'deferred', 'redriven'] as const).filter((one) => queue.isSaturated(one))
  const askAll = (priority: Priority, count: number): void => {
    for (let asked = 0; asked < count; asked += 1) ask(`${priority} ${asked}`, priority)
  }
  askAll('fresh', 3)
  expect(saturated()).toEqual([])
  askAll('deferred', 1)
  expect(saturated()).toEqual(['deferred', 'redriven'])
  askAll('redriven', 29)
  expect(saturated()).toEqual(['deferred', 'redriven'])
  askAll('redriven', 1)
  expect(saturated()).toEqual(['fresh', 'deferred', 'redriven'])
})

test('a canceled waiter is removed at once even while no permits are granted', async () => {
  const { queue, clock, granted, ask } = queueWith({})
  queue.pause('stopping')
  ask('late', 'fresh', () => false)
  await clock.advance(0)
  expect(granted).toMatchObject([{ name: 'late', ticket: null }])
})

test('no second contains more calls than the quota, whatever the calls return', async () => {
  const made = queueWith({ limiter: new TokenBucket({ permits: 5, windowMs: 1_020, burst: 2 }) })
  const unavailable: CallResult = { kind: 'unavailable', code: 'timeout', retryAfterMs: null }
  const results: CallResult[] = [ANSWERED, throttled(), unavailable, throttled(200)]
  for (let index = 0; index < 60; index += 1) {
    made.ask('call')
    await made.clock.advance(37 * (index % 7))
    made.release(results[index % results.length] ?? ANSWERED)
  }
  await made.clock.advance(60_000)
  const times = made.granted.map(({ atMs }) => atMs)
  expect(times).toHaveLength(60)
  for (const first of times) {
    expect(times.filter((atMs) => atMs >= first && atMs < first + 1_000).length).toBeLessThanOrEqual(5)
  }
})
