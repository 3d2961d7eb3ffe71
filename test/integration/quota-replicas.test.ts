import { expect, onTestFinished, test } from 'vitest'
import { eventFor } from '../../dev/harness/events.ts'
import { metricSum, type ServiceProcess } from '../../dev/harness/service.ts'
import { EXACTLY_ONCE } from '../support/outputs.ts'
import { startRun, type Run } from '../support/run.ts'

/** A long guard, because two busy cores shared with Kafka cause more jitter than the network. */
const SETTINGS = { CHECKRESULT_QPS_GUARD: '150ms', KAFKA_SESSION_TIMEOUT: '6s' }

async function sharesOf(replicas: readonly ServiceProcess[]): Promise<number[]> {
  const expositions = await Promise.all(replicas.map(async (replica) => replica.metrics()))
  return expositions.map((one) => metricSum(one, 'checkresult_quota_share_per_second'))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0)
}

/** Events spread over the partitions. Another `from` gives other transactions. */
async function sendTo(
  run: Run,
  count: number,
  { name = 'passpassport', from = 0 } = {},
): ReturnType<Run['send']> {
  return run.send(
    Array.from({ length: count }, (_, number) => ({
      value: run.encode(eventFor({ name, docType: null }, from + number)),
    })),
  )
}

test('the shares of up to three replicas always sum to the limit, and no second has more calls', async () => {
  const qps = 13
  const run = await startRun({ settings: { ...SETTINGS, CHECKRESULT_QPS: String(qps) }, partitions: 4 })
  onTestFinished(run.close)
  const sent = await sendTo(run, 150)
  const first = await run.startReplica()
  expect(await sharesOf([first])).toEqual([qps])
  const second = await run.startReplica()
  const third = await run.startReplica()
  const all = [first, second, third]
  await expect.poll(async () => sum(await sharesOf(all))).toBe(qps)
  expect((await sharesOf(all)).toSorted((left, right) => left - right)).toEqual([3, 3, 7])
  expect(await first.stop()).toBe(0)
  await expect.poll(async () => sum(await sharesOf([second, third]))).toBe(qps)
  second.signal('SIGKILL')
  await expect.poll(async () => sharesOf([third]), { timeout: 30_000 }).toEqual([qps])
  await run.untilOut(sent)
  const { maxCallsInASecond } = run.simulator.report()
  expect(maxCallsInASecond).toBeLessThanOrEqual(qps)
  expect(maxCallsInASecond).toBeGreaterThan(qps / 2)
  expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
})

test('a replica without a permit is a ready hot standby, takes over when another one leaves, and serves retry partitions', async () => {
  const run = await startRun({ settings: { ...SETTINGS, CHECKRESULT_QPS: '2' }, partitions: 4 })
  onTestFinished(run.close)
  const active = [await run.startReplica(), await run.startReplica()]
  const standby = await run.startReplica()
  await expect.poll(async () => sharesOf([...active, standby])).toEqual([1, 1, 0])
  expect(standby.output()).toContain('This replica is a hot standby')
  const sent = await sendTo(run, 4, { name: 'notyet' })
  await run.untilOut(sent)
  expect(await active[0]?.stop()).toBe(0)
  await expect.poll(async () => sharesOf([...active.slice(1), standby])).toEqual([1, 1])
  const later = await sendTo(run, 4, { name: 'notyet', from: 100 })
  await run.untilOut(later)
  expect(run.simulator.report().maxCallsInASecond).toBeLessThanOrEqual(2)
  expect(await run.tally([...sent, ...later])).toEqual(EXACTLY_ONCE)
})

test('the smallest limit applies to all replicas, and the others log this', async () => {
  const run = await startRun({ settings: { ...SETTINGS, CHECKRESULT_QPS: '9' }, partitions: 4 })
  onTestFinished(run.close)
  const large = await run.startReplica()
  const small = await run.startReplica({ CHECKRESULT_QPS: '5' })
  await expect.poll(async () => sum(await sharesOf([large, small]))).toBe(5)
  expect(large.output()).toContain('CHECKRESULT_QPS differs between replicas')
  expect(await small.stop()).toBe(0)
  await expect.poll(async () => sharesOf([large])).toEqual([9])
})
