/** Several limiters that share one Redis, in this process. Checks the permitted calls by the clock of this process. */
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { openQuotaKey } from '../../../src/adapters/quota/quota-key.ts'
import { Secret } from '../../../src/config/secret.ts'
import type { CallTicket } from '../../../src/core/calls/call-ticket.ts'
import { clientOf, maxWithin, redisForTest } from '../../support/redis.ts'
import { startCaller, type Caller } from '../../support/quota-callers.ts'

const SECOND_MS = 1_000
const KEY = 'checkresult:quota'
const SCRIPT = new URL('../../../src/adapters/quota/reserve.lua', import.meta.url)

function together(callers: readonly Caller[]): number[] {
  return callers.flatMap(({ calls }) => calls)
}

async function untilCalls(callers: readonly Caller[], more: number): Promise<void> {
  const wanted = together(callers).length + more
  await expect.poll(() => together(callers).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(wanted)
}

/**
 * The share of the limit that is used over some seconds. It is measured up to three times until it is above `target`, because other
 * programs on the machine may take the CPU. No second may exceed the limit in any of them.
 */
async function shareUsed(callers: readonly Caller[], limit: number, target: number): Promise<number> {
  let best = 0
  for (let tries = 0; tries < 3 && best <= target; tries += 1) {
    const fromMs = performance.now()
    await untilCalls(callers, limit * 4)
    best = Math.max(best, (4 * SECOND_MS) / (performance.now() - fromMs))
    expect(maxWithin(together(callers), SECOND_MS)).toBeLessThanOrEqual(limit)
  }
  return best
}

describe.each([
  { limit: 5, replicas: 3, burst: 1 },
  { limit: 50, replicas: 2, burst: 5 },
  { limit: 300, replicas: 4, burst: 30 },
])('$replicas replicas with $limit calls a second', ({ limit, replicas, burst }) => {
  test('never exceed the limit in any second and use nearly all of it, also if one replica is idle', async () => {
    const { url } = await redisForTest()
    const callers = Array.from({ length: replicas }, () => startCaller({ url, limit, burst }))
    for (const caller of callers.slice(1)) caller.work(100)
    await untilCalls(callers, limit)
    expect(await shareUsed(callers, limit, 0.8)).toBeGreaterThan(0.8)
    expect(callers[0]?.calls).toEqual([])
  })
})

test('a replica with all the work gets the whole quota, and one that gets some work gets its part', async () => {
  const { url } = await redisForTest()
  const callers = [startCaller({ url, limit: 40 }), startCaller({ url, limit: 40 })]
  callers[0]?.work(50)
  await untilCalls(callers, 60)
  callers[1]?.work(50)
  const [before = 0] = callers.map(({ calls }) => calls.length)
  await untilCalls(callers, 80)
  const [first = 0, second = 0] = callers.map(({ calls }) => calls.length)
  expect(second / (first - before + second)).toBeGreaterThan(0.25)
  expect(maxWithin(together(callers), SECOND_MS)).toBeLessThanOrEqual(40)
})

test('late calls cost only as much quota as they are late', async () => {
  const limit = 100
  const { url } = await redisForTest()
  const callers = [1, 2, 3].map(() => startCaller({ url, limit, burst: 10 }))
  for (const caller of callers) caller.work(100)
  await untilCalls(callers, limit * 1.5)
  const stalled = { isOver: false }
  const stalls = (async () => {
    while (!stalled.isOver) {
      const untilMs = performance.now() + 25
      while (performance.now() < untilMs);
      await delay(80)
    }
  })()
  const used = await shareUsed(callers, limit, 0.94)
  stalled.isOver = true
  await stalls
  expect(used).toBeGreaterThan(0.94)
  expect(callers.map(({ wasted }) => wasted())).toEqual([0, 0, 0])
})

test('a blocked event loop does not cause a burst of calls', async () => {
  const { url } = await redisForTest()
  const caller = startCaller({ url, limit: 50, burst: 5 })
  caller.work(100)
  await untilCalls([caller], 50)
  for (let stall = 0; stall < 8; stall += 1) {
    const untilMs = performance.now() + 30 + stall * 20
    while (performance.now() < untilMs);
    await delay(150)
  }
  expect(maxWithin(caller.calls, SECOND_MS)).toBeLessThanOrEqual(50)
  expect(caller.calls.length).toBeGreaterThan(80)
})

describe('while Redis is down', () => {
  test('no call is made and the circuit breaker gives the reason; after an empty restart no second exceeds the limit', async () => {
    const redis = await redisForTest()
    const callers = [1, 2].map(() => startCaller({ url: redis.url, limit: 30, burst: 3 }))
    for (const caller of callers) caller.work(50)
    await untilCalls(callers, 40)
    await redis.server.stop('SIGKILL')
    await expect
      .poll(() => callers.map(({ queue }) => queue.openReason))
      .toEqual(['quota-unavailable', 'quota-unavailable'])
    await delay(400)
    const closed = together(callers).length
    await delay(300)
    expect(together(callers).length).toBe(closed)
    await redis.server.start()
    await untilCalls(callers, 40)
    expect(callers.map(({ queue }) => queue.openReason)).toEqual([null, null])
    expect(maxWithin(together(callers), SECOND_MS)).toBeLessThanOrEqual(30)
    expect(callers[0]?.log.lines.map(({ message }) => message)).toEqual([
      'The circuit breaker is open, reason quota-unavailable. The quota is unavailable; see detail for the cause. Calls are paused. Events wait and none is lost. Calls resume as soon as the quota is available again.',
      'The circuit breaker is closed again: calls resume.',
    ])
    expect(callers[0]?.log.lines[0]?.fields.detail).toMatch(
      /^Cannot connect to Redis\. .+\((CLOSED|ECONNRESET|ECONNREFUSED)\)$/,
    )
  })

  test('the same is true if it hangs', async () => {
    const redis = await redisForTest()
    const caller = startCaller({ url: redis.url, limit: 30, burst: 3 })
    caller.work(50)
    await untilCalls([caller], 40)
    const pid = redis.server.pid ?? 0
    process.kill(pid, 'SIGSTOP')
    await expect.poll(() => caller.limiter.unavailable).toMatch(/does not answer in time/)
    process.kill(pid, 'SIGCONT')
    await untilCalls([caller], 40)
    expect(maxWithin(caller.calls, SECOND_MS)).toBeLessThanOrEqual(30)
  })
})

describe('the limit', () => {
  test('is changed for all replicas by a command, and no second exceeds it', async () => {
    const { url } = await redisForTest()
    const callers = [1, 2].map(() => startCaller({ url, limit: 40, burst: 1 }))
    for (const caller of callers) caller.work(50)
    await untilCalls(callers, 60)
    const key = await openQuotaKey({ url: new Secret(url), ca: null, key: KEY })
    await key.setLimit(10)
    const lowered = together(callers).length
    await untilCalls(callers, 15)
    const low = together(callers)
      .toSorted((one, other) => one - other)
      .slice(lowered)
    expect(maxWithin(low, SECOND_MS)).toBeLessThanOrEqual(10)
    await key.setLimit(60)
    await untilCalls(callers, 90)
    expect(maxWithin(together(callers), SECOND_MS)).toBeLessThanOrEqual(60)
    expect(callers.map(({ limits }) => limits)).toEqual([
      [40, 10, 60],
      [40, 10, 60],
    ])
    key.close()
  })

  test('stored in the key takes precedence over the settings, and this is logged once', async () => {
    const { url } = await redisForTest()
    const first = startCaller({ url, limit: 20 })
    await first.limiter.ready()
    const other = startCaller({ url, limit: 30 })
    other.work(50)
    await untilCalls([other], 25)
    expect(other.limits).toEqual([20])
    expect(maxWithin(other.calls, SECOND_MS)).toBeLessThanOrEqual(20)
    expect(other.log.lines).toEqual([
      {
        level: 'warn',
        message:
          'The limit stored in Redis differs from CHECKRESULT_QPS and takes precedence. Change it with `quota set`.',
        fields: { count: 20 },
      },
    ])
    expect(first.log.lines).toEqual([])
  })
})

test('no command is sent while no call waits', async () => {
  const { url } = await redisForTest()
  const client = await clientOf(url)
  const caller = startCaller({ url, limit: 100 })
  caller.work(10)
  await untilCalls([caller], 50)
  caller.rest()
  const commands = async (): Promise<number> => {
    const stats = String(await client.send(['INFO', 'stats']))
    return Number(/total_commands_processed:(\d+)/.exec(stats)?.[1])
  }
  await delay(100)
  const before = await commands()
  await delay(2_000)
  expect((await commands()) - before).toBe(1)
})

test('requests made in the same event-loop turn are batched into one command', async () => {
  const { url } = await redisForTest()
  const client = await clientOf(url)
  const { queue } = startCaller({ url, limit: 100, burst: 10 })
  const acquire = (): Promise<CallTicket | null> => queue.acquire('fresh', 'input:0', () => true)
  const asked = async (): Promise<number> => {
    const stats = String(await client.send(['INFO', 'commandstats']))
    return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1])
  }
  // A new ring makes the first caller ask twice.
  await acquire()
  const before = await asked()
  await Promise.all(Array.from({ length: 5 }, acquire))
  expect((await asked()) - before).toBe(1)
})

test('slots taken by other programs count towards the limit', async () => {
  const { url } = await redisForTest()
  const caller = startCaller({ url, limit: 20, burst: 2 })
  const client = await clientOf(url)
  await caller.limiter.ready()
  const script = String(await client.send(['SCRIPT', 'LOAD', await readFile(SCRIPT, 'utf8')]))
  caller.work(50)
  await untilCalls([caller], 10)
  const taken: number[] = []
  const endMs = performance.now() + 3_000
  while (performance.now() < endMs) {
    const reply = await client.send(['EVALSHA', script, '1', KEY, '1', '1020000', '5000', '1', '20'])
    const [now, , , again, , slots] = reply as [number, number, number, number, number, number[]]
    for (const slot of slots) taken.push(performance.now() + (slot - now) / 1_000)
    await delay(again / 1_000 + 100)
  }
  expect(taken.length).toBeGreaterThan(10)
  expect(maxWithin([...caller.calls, ...taken], SECOND_MS)).toBeLessThanOrEqual(20)
})
