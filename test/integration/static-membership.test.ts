/** Replicas with KAFKA_GROUP_INSTANCE_ID. The session timeout is so long that nothing here can be its effect. */
import { expect, onTestFinished, test } from 'vitest'
import { eventFor } from '../../dev/harness/events.ts'
import { metricSum, type ServiceProcess } from '../../dev/harness/service.ts'
import { connectedAdmin, connectedProducer } from '../support/kafka.ts'
import { EXACTLY_ONCE } from '../support/outputs.ts'
import { startRun, startService, type Run } from '../support/run.ts'

const QPS = 30
const SESSION_MS = 60_000
const SETTINGS = {
  KAFKA_SESSION_TIMEOUT: `${SESSION_MS}ms`,
  CHECKRESULT_QPS: String(QPS),
  // Shared cores delay calls more than the network does.
  CHECKRESULT_QPS_GUARD: '300ms',
}
/** From the first log line of the process to its first new output. */
const BACK_MS = 3_000
const TAKEN = /Another process uses KAFKA_GROUP_INSTANCE_ID checkresult-0 in the group/

const as = (id: string) => ({ KAFKA_GROUP_INSTANCE_ID: id })

async function share(replica: ServiceProcess): Promise<number> {
  return metricSum(await replica.metrics(), 'checkresult_quota_share_per_second')
}

function assignments(replica: ServiceProcess): number {
  return replica.output().split('Partitions assigned.').length - 1
}

/** The instance ids of the members. */
async function members(run: Run): Promise<string[]> {
  const { groups } = await (await connectedAdmin()).describeGroups([run.environment.groupId])
  const uuid = '-01234567-89ab-cdef-0123-456789abcdef'
  return groups.flatMap((group) => group.members.map(({ memberId }) => memberId.slice(0, -uuid.length)))
}

/** Adds partitions to the input topic, with one event each. */
async function widen(run: Run, count: number): Promise<`${string}:${number}:${bigint}`[]> {
  const { input } = run.topics
  await (await connectedAdmin()).createPartitions({ topicPartitions: [{ topic: input, count }] })
  const producer = await connectedProducer()
  const added = Array.from({ length: count - 2 }, (_, number) => number + 2)
  await producer.send({
    topic: input,
    messages: added.map((partition) => ({
      partition,
      value: run.encode(eventFor({ name: 'passpassport', docType: null }, 1_000_000 + partition)),
    })),
  })
  return added.map((partition) => `${input}:${partition}:0` as const)
}

/** Kills the replica and starts it again. Returns the time to its first new output on partition 0. */
async function restart(
  run: Run,
  killed: ServiceProcess,
): Promise<{ replica: ServiceProcess; backMs: number }> {
  killed.signal('SIGKILL')
  await killed.exited
  const replica = await startService({ ...run.environment.env, ...as('checkresult-0') })
  const [, startedAt = ''] = await replica.line(/"time":"([^"]+)"/)
  const startedMs = Date.parse(startedAt)
  const newOutput = () =>
    run.results().find(({ partition, timestampMs }) => partition === 0 && timestampMs > startedMs)
  await run.outputs.until(() => newOutput() !== undefined)
  return { replica, backMs: (newOutput()?.timestampMs ?? Infinity) - startedMs }
}

test('a killed replica that is started again works within 3 s, and the others notice nothing', async () => {
  const run = await startRun({ partitions: 2, settings: SETTINGS })
  onTestFinished(run.close)
  // The first replica leads the group, and keeps partition 0.
  const first = await run.startReplica(as('checkresult-0'))
  const survivor = await run.startReplica(as('checkresult-1'))
  const sent = await run.sendFresh(20 * QPS)
  await run.outputs.until(() => [0, 1].every((of) => run.results().some(({ partition }) => partition === of)))
  const before = assignments(survivor)
  let last = await restart(run, first)
  // On a busy machine a process may not get to run for seconds.
  for (let tries = 1; tries < 3 && last.backMs >= BACK_MS; tries += 1) last = await restart(run, last.replica)
  expect(last.backMs).toBeLessThan(BACK_MS)
  expect(assignments(survivor)).toBe(before)

  // It is still the one that looks for new partitions.
  const all = [...sent, ...(await widen(run, 4))]
  await run.untilOut(all)
  expect(run.simulator.report().maxCallsInASecond).toBeLessThanOrEqual(QPS)
  expect(await last.replica.stop()).toBe(0)
  expect(await survivor.stop()).toBe(0)
  expect(await run.tally(all)).toEqual(EXACTLY_ONCE)
}, 120_000)

test('SIGTERM frees the partitions at once', async () => {
  const run = await startRun({ partitions: 2, settings: SETTINGS })
  onTestFinished(run.close)
  const stopped = await run.startReplica(as('checkresult-0'))
  const survivor = await run.startReplica(as('checkresult-1'))
  expect((await members(run)).toSorted()).toEqual(['checkresult-0', 'checkresult-1'])
  const startedMs = performance.now()
  expect(await stopped.stop()).toBe(0)
  expect(await members(run)).toEqual(['checkresult-1'])
  const sent = await run.sendFresh(10)
  await run.untilOut(sent)
  expect(performance.now() - startedMs).toBeLessThan(SESSION_MS / 4)
  expect(await survivor.stop()).toBe(0)
  expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
})

test('a process whose id another one uses says so and waits, and works again when the other one has left', async () => {
  const run = await startRun({ partitions: 2, settings: SETTINGS })
  onTestFinished(run.close)
  const replaced = await run.startReplica(as('checkresult-0'))
  const other = await run.startReplica(as('checkresult-0'))
  await replaced.line(/Not ready, retrying: Another process uses KAFKA_GROUP_INSTANCE_ID .*it connects from /)
  const ready = await fetch(`${replaced.opsUrl}/readyz`)
  expect({ status: ready.status, body: await ready.text() }).toEqual({
    status: 503,
    body: expect.stringMatching(TAKEN),
  })
  const sent = await run.sendFresh(10)
  await run.untilOut(sent)
  expect(other.output()).not.toMatch(TAKEN)
  expect(assignments(other)).toBe(1)
  expect(await other.stop()).toBe(0)

  const later = await run.sendFresh(10)
  await run.untilOut(later)
  expect(await replaced.stop()).toBe(0)
  expect(await run.tally([...sent, ...later])).toEqual(EXACTLY_ONCE)
})

test('a killed replica that is started again with another limit shares the quota by it', async () => {
  const run = await startRun({ partitions: 2, settings: SETTINGS })
  onTestFinished(run.close)
  const killed = await run.startReplica(as('checkresult-0'))
  expect(await share(killed)).toBe(QPS)
  killed.signal('SIGKILL')
  await killed.exited
  const restarted = await run.startReplica({ ...as('checkresult-0'), CHECKRESULT_QPS: '4' })
  await expect.poll(() => share(restarted)).toBe(4)
  expect(await restarted.stop()).toBe(0)
})
