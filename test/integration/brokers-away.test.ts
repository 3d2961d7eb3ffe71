/** A broker that is killed, hangs or has a full disk. Each time it is restarted and all clients recover. */
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { QUICK_START } from '../../dev/stack/java.ts'
import { startStack, type Stack } from '../../dev/stack/stack.ts'
import { lastLine } from '../support/log-lines.ts'
import { EXACTLY_ONCE } from '../support/outputs.ts'
import { startRun, type Run } from '../support/run.ts'

const EVENTS = 200
const DEADLINE_MS = 6_000
const OVER_WITHIN = { timeout: 60_000, interval: 100 }
const SLOWLY = { timeout: 150_000 }

let stack: Stack

beforeAll(async () => {
  stack = await startStack({
    kafkaJavaOptions: QUICK_START,
    // Without this, the cluster accepts a killed broker only after its session of 9 s.
    kafkaProperties: { 'broker.session.timeout.ms': '3000', 'broker.heartbeat.interval.ms': '500' },
    // The session timeout under test.
    onCrash: () => {},
  })
})

afterAll(async () => stack.stop())

test('the service reports that no broker answers and continues when they are back', SLOWLY, async () => {
  const run = await started()
  const service = await run.startReplica()
  const readiness = async (): Promise<string> => (await fetch(`${service.opsUrl}/readyz`)).text()

  await stack.kafka.stop('SIGKILL')
  await expect.poll(readiness, OVER_WITHIN).toMatch(/No broker in KAFKA_BROKERS answers/)
  await stack.kafka.start()
  await service.ready()

  expect(await service.stop()).toBe(0)
})

test('if the brokers hang during shutdown, the service exits with 1 at its deadline and lists what is unfinished', async () => {
  const run = await started()
  const replica = await run.startReplica()
  const sent = await run.sendFresh(EVENTS)
  await run.untilOut(sent)
  run.simulator.setFaults({ latencyMs: 500 })
  await run.sendFresh(EVENTS)
  await expect.poll(() => run.simulator.report().calls).toBeGreaterThan(EVENTS)
  const broker = stack.kafka.pid ?? 0
  process.kill(broker, 'SIGSTOP')
  onTestFinished(() => void process.kill(broker, 'SIGCONT'))
  const startedMs = performance.now()
  replica.signal('SIGTERM')
  expect(await replica.exited).toBe(1)
  expect(performance.now() - startedMs).toBeLessThan(DEADLINE_MS + 2_000)
  expect(lastLine(replica)).toMatch(
    /^SHUTDOWN_DEADLINE \(6s\) has passed, so the service ends with \d+ buffered records and \d+ calls in flight/,
  )
  process.kill(broker, 'SIGCONT')
})

/**
 * Simulates a full disk without filling one: `prlimit` forbids the broker's files to grow, which needs no special
 * rights. Kafka reacts as to ENOSPC: it gives up its log directory and ends.
 */
test(
  'the service waits for brokers with a full disk, logs what to do, and then each event comes out exactly once',
  SLOWLY,
  async () => {
    const run = await started()
    const replica = await run.startReplica()
    const sent = await run.sendFresh(EVENTS)
    await run.untilOut(sent)
    run.simulator.setFaults({ latencyMs: 500 })
    const more = await run.sendFresh(EVENTS)
    execFileSync('prlimit', ['--pid', String(stack.kafka.pid), '--fsize=1:'])
    await replica.line(
      /The Kafka consumer has stopped\. The service restarts it\. Cause: No broker in KAFKA_BROKERS answers/,
    )
    await stack.kafka.stop()
    await stack.kafka.start()
    await run.untilOut([...sent, ...more])
    expect(await run.tally([...sent, ...more])).toEqual(EXACTLY_ONCE)
  },
)

async function started(): Promise<Run> {
  const run = await startRun({
    stack,
    settings: {
      CHECKRESULT_TIMEOUT: '1s',
      SHUTDOWN_DEADLINE: `${DEADLINE_MS}ms`,
      KAFKA_SESSION_TIMEOUT: '6s',
    },
  })
  onTestFinished(run.close)
  return run
}
