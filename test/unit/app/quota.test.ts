import { describe, expect, test } from 'vitest'
import { UNLIMITED } from '../../../src/core/quota/token-bucket.ts'
import type { Log } from '../../../src/ports.ts'
import { createServiceQuota, type SharedLimiter } from '../../../src/app/quota.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { fakeMetrics } from '../../support/fakes.ts'
import { configOf, type Env } from '../config/environments.ts'

const INPUT = 'verification.completed'

function quotaFor(env: Env, sharedLimiter: SharedLimiter | null = null) {
  const clock = new FakeClock()
  const metrics = fakeMetrics()
  const lines: string[] = []
  const write: Log['info'] = (message, { detail = '', partitions = '' } = {}) =>
    void lines.push([message, partitions, detail].join(' | '))
  const log = { info: write, warn: write, error: write }
  const quota = createServiceQuota({ config: configOf(env), sharedLimiter, clock, log, metrics })
  const sent = () => ({ monotonicMs: clock.monotonicMs(), epochMs: clock.epochMs() })
  const assign = (generation: number, partitions: number[], permits: number | null = null): void =>
    quota.assigned(
      {
        memberId: 'me',
        generation,
        sent: sent(),
        quotaPlan: { partitions: 4, permits },
      },
      { [INPUT]: partitions, retry: partitions },
    )
  return {
    quota,
    metrics,
    lines,
    assign,
    clock,
    sent,
    last: (name: 'quota' | 'quotaRate') => metrics.of(name).at(-1),
  }
}

describe('a quota split by partitions', () => {
  test('reports the share of the replica in the log, on the status page and in the metrics', () => {
    const { quota, lines, assign, last } = quotaFor({ CHECKRESULT_QPS: '10' })
    expect([quota.permits, quota.perSecond, quota.share, last('quota')]).toEqual([10, 0, 'none yet', [10, 0]])
    assign(1, [0, 3], 10)
    expect(lines).toEqual([`Partitions assigned. | ${INPUT} [0 3], retry [0 3] | 5 of 10 calls per second.`])
    expect([quota.perSecond, quota.share]).toEqual([5, '5 of 10 calls per second'])
    expect([last('quota'), last('quotaRate')]).toEqual([[10, 5], [5]])
  })

  test('logs that a replica is a hot standby', () => {
    const { lines, assign, last } = quotaFor({ CHECKRESULT_QPS: '2' })
    assign(1, [], 2)
    expect(lines).toEqual([expect.stringMatching(/^No partitions assigned because .+ hot standby.+0 of 2/)])
    expect(last('quota')).toEqual([2, 0])
  })

  test('a replica with a higher limit uses the lowest limit of the group and logs the difference', () => {
    const { lines, assign, last } = quotaFor({ CHECKRESULT_QPS: '10' })
    assign(1, [0, 1, 2, 3], 6)
    expect(lines.at(-1)).toMatch(
      /^CHECKRESULT_QPS differs between replicas.+In use: 6\. Set on this replica: 10\./,
    )
    expect(last('quota')).toEqual([6, 6])
  })

  test('makes no call before the first assignment, and reports the rate that throttling leaves', async () => {
    const { quota, assign, clock, sent, last } = quotaFor({ CHECKRESULT_QPS: '8' })
    expect(quota.limiter.take(0, 1)).toBe(Infinity)
    assign(1, [0, 1, 2, 3], 8)
    await clock.advance(1_020)
    expect(quota.limiter.take(clock.monotonicMs(), 1)).toBe(0)
    quota.limiter.throttled(clock.monotonicMs(), 0)
    quota.heartbeat(sent())
    expect(last('quotaRate')).toEqual([4])
    quota.beforeRejoin()
    expect(quota.limiter.take(clock.monotonicMs() + 60_000, 1)).toBe(Infinity)
  })
})

test('a quota counted in Redis lets one replica use the whole limit and gives partitions no permits of their own', () => {
  let isStopped = false
  const sharedLimiter = {
    ...UNLIMITED,
    limit: 12,
    ready: () => Promise.resolve(),
    stop: () => void (isStopped = true),
  }
  const { quota, lines, assign, last } = quotaFor({ CHECKRESULT_QPS: '10' }, sharedLimiter)
  assign(1, [2])
  expect([quota.permits, quota.perSecond, last('quota')]).toEqual([null, 12, [10, 10]])
  expect(lines).toEqual([`Partitions assigned. | ${INPUT} [2], retry [2] | `])
  expect(quota.limiter.take(0, 1)).toBe(0)
  expect(quota.share).toBe('up to 12 calls per second, shared by all replicas')
  quota.stop()
  expect(isStopped).toBe(true)
})

test('an unlimited quota is not split', () => {
  const { quota } = quotaFor({ CHECKRESULT_QPS: 'unlimited', CHECKRESULT_ENDPOINT: 'http://127.0.0.1:8080' })
  expect([quota.permits, quota.perSecond, quota.share]).toEqual([null, 0, 'unlimited'])
})
