/** The whole service with its quota in Redis. */
import { expect, onTestFinished, test } from 'vitest'
import { eventFor } from '../../../dev/harness/events.ts'
import { metricSum, startServiceProcess } from '../../../dev/harness/service.ts'
import { EXACTLY_ONCE } from '../../support/outputs.ts'
import { redisForTest } from '../../support/redis.ts'
import { startRun } from '../../support/run.ts'

const QPS = 40
const EVENTS = 200

test('a start without Redis is reported, two replicas share the quota, and an empty restart of Redis does not exceed it', async () => {
  const redis = await redisForTest()
  // A long guard, because two busy cores cause more jitter than the network.
  const settings = {
    CHECKRESULT_QUOTA: 'redis',
    REDIS_URL: redis.url,
    CHECKRESULT_QPS: String(QPS),
    CHECKRESULT_QPS_GUARD: '150ms',
  }
  const run = await startRun({ settings })
  onTestFinished(run.close)
  const sent = await run.send(
    Array.from({ length: EVENTS }, (_, number) => ({
      value: run.encode(eventFor({ name: 'passpassport', docType: null }, number)),
    })),
  )
  await redis.server.stop()
  const first = await startServiceProcess(run.environment.env)
  onTestFinished(() => first.signal('SIGKILL'))
  await first.line(/Not ready, retrying: Cannot connect to Redis\. Check the address in REDIS_URL/)
  expect(await (await fetch(`${first.opsUrl}/readyz`)).text()).toMatch(/Cannot connect to Redis/)
  await redis.server.start()
  await first.ready()
  const second = await run.startReplica()

  await expect.poll(() => run.simulator.report().calls, { timeout: 30_000 }).toBeGreaterThan(QPS)
  await redis.server.stop('SIGKILL')
  await first.line(/The circuit breaker is open, reason quota-unavailable\. The quota is unavailable/)
  expect(metricSum(await first.metrics(), 'checkresult_circuit_open{reason="quota-unavailable"}')).toBe(1)
  expect((await fetch(`${first.opsUrl}/readyz`)).status).toBe(200)
  await redis.server.start()
  await run.untilOut(sent)

  const exposition = await second.metrics()
  expect(metricSum(exposition, 'checkresult_quota_limit_per_second')).toBe(QPS)
  expect(metricSum(exposition, 'checkresult_circuit_open')).toBe(0)
  expect(await first.stop()).toBe(0)
  expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
  const report = run.simulator.report()
  // A rebalance may repeat calls that were in flight, so there may be more calls than events. None is rejected.
  expect(Object.keys(report.callsByCode)).toEqual(['Success'])
  expect(report.maxCallsInASecond).toBeLessThanOrEqual(QPS)
})
