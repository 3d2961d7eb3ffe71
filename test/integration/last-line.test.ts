/** However the service ends or is hindered: its last line says it, and it is never stuck for ever. */
import { execFileSync } from 'node:child_process'
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { eventFor } from '../../dev/harness/events.ts'
import { SERVICE, startServiceProcess, type ServiceProcess } from '../../dev/harness/service.ts'
import { EXACTLY_ONCE, type Coordinates } from '../support/outputs.ts'
import { startRestrictedStack, type RestrictedStack } from '../support/restricted-stack.ts'
import { startRun, type Run } from '../support/run.ts'

const EVENTS = 200
const CALL_MS = 1_000
const DEADLINE_MS = 6_000
const SETTINGS = {
  CHECKRESULT_TIMEOUT_MS: String(CALL_MS),
  SHUTDOWN_DEADLINE_MS: String(DEADLINE_MS),
  KAFKA_SESSION_TIMEOUT_MS: '6000',
}

describe('a signal', () => {
  test('while the API hangs ends the service with 0 in time, and after a restart nothing comes out twice', async () => {
    const run = await started()
    run.simulator.setFaults({ all: 'hang' })
    const hung = await run.startReplica()
    const sent = await send(run)
    await expect.poll(() => run.simulator.report().calls).toBeGreaterThan(0)
    const startedMs = performance.now()
    expect(await hung.stop()).toBe(0)
    expect(performance.now() - startedMs).toBeLessThan(DEADLINE_MS)
    expect(lastLine(hung)).toBe('Stopped.')

    run.simulator.setFaults({})
    await run.startReplica()
    await run.untilOut(sent)
    expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
  })

  test('that is the second one ends it at once with 1', async () => {
    const run = await started({ CHECKRESULT_TIMEOUT_MS: '20000', SHUTDOWN_DEADLINE_MS: '30000' })
    run.simulator.setFaults({ all: 'hang' })
    const replica = await run.startReplica()
    const sent = await send(run)
    await expect.poll(() => run.simulator.report().calls).toBeGreaterThan(0)
    replica.signal('SIGTERM')
    await replica.line(/Stopping/)
    const startedMs = performance.now()
    replica.signal('SIGINT')
    expect(await replica.exited).toBe(1)
    expect(performance.now() - startedMs).toBeLessThan(2_000)
    expect(lastLine(replica)).toBe('A second signal ends the service at once; what is in hand is read again.')

    run.simulator.setFaults({})
    await run.startReplica()
    await run.untilOut(sent)
    expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
  })
})

describe('what nobody caught', () => {
  const PRIVATE = 'not to be logged'
  test.each([
    ['an error thrown', `throw new RangeError('${PRIVATE}')`, 'RangeError'],
    ['a rejection', `Promise.reject(new RangeError('${PRIVATE}'))`, 'RangeError'],
    ['a rejection with nothing', 'Promise.reject()', 'undefined'],
  ])('%s ends the service with 1 and a sentence', async (_, code, errorType) => {
    const run = await started()
    // A signal that neither Node nor the service takes notice of.
    const saboteur = `data:text/javascript,${encodeURIComponent(`process.once('SIGWINCH', () => { ${code} })`)}`
    const replica = await startServiceProcess(run.environment.env, ['--import', saboteur, ...SERVICE])
    await replica.ready()
    replica.signal('SIGWINCH')
    expect(await replica.exited).toBe(1)
    expect(lastLine(replica)).toBe(
      'An unexpected error ends the service; nothing is lost, the records in hand are read again.',
    )
    expect(fields(replica)).toMatchObject({ level: 'error', errorType })
    expect(replica.output()).not.toContain(PRIVATE)
  })
})

/** One of them is started again, and everybody comes back to it. */
describe('brokers', { timeout: 180_000 }, () => {
  let restricted: RestrictedStack
  beforeAll(async () => {
    restricted = await startRestrictedStack()
  })
  afterAll(async () => restricted.stack.stop())

  test('that take the group away while it runs end the service with 1 and what to do', async () => {
    const run = await started({}, restricted)
    const replica = await run.startReplica()
    await restricted.deny(kafkajs.AclResourceTypes.GROUP, run.environment.groupId)
    expect(await replica.exited).toBe(1)
    expect(lastLine(replica)).toMatch(/^The Kafka consumer has ended: .*grant READ on the group/)
  })

  test('that hang when the service is to stop let its deadline pass: it ends with 1 and says what was left', async () => {
    const run = await started({}, restricted)
    const replica = await run.startReplica()
    const sent = await send(run)
    await run.untilOut(sent)
    run.simulator.setFaults({ latencyMs: 500 })
    await send(run)
    await expect.poll(() => run.simulator.report().calls).toBeGreaterThan(EVENTS)
    const broker = restricted.stack.kafka.pid ?? 0
    process.kill(broker, 'SIGSTOP')
    onTestFinished(() => void process.kill(broker, 'SIGCONT'))
    const startedMs = performance.now()
    replica.signal('SIGTERM')
    expect(await replica.exited).toBe(1)
    expect(performance.now() - startedMs).toBeLessThan(DEADLINE_MS + 2_000)
    expect(lastLine(replica)).toMatch(
      /^SHUTDOWN_DEADLINE_MS \(6 s\) has passed: the service ends with \d+ records in hand and \d+ calls in flight/,
    )
    process.kill(broker, 'SIGCONT')
  })

  /**
   * A disk that is full without needing one: the kernel lets the broker's files grow no further, which any user may ask of a
   * process of their own. Kafka gives up its log directory as it does on ENOSPC, and ends.
   */
  test('whose disk is full are waited for, with what to do in the log, and afterwards each event has come out exactly once', async () => {
    const run = await started({}, restricted)
    const replica = await run.startReplica()
    const sent = await send(run)
    await run.untilOut(sent)
    run.simulator.setFaults({ latencyMs: 500 })
    const more = await send(run)
    const { kafka } = restricted.stack
    execFileSync('prlimit', ['--pid', String(kafka.pid), '--fsize=1:'])
    await replica.line(/The Kafka consumer has ended; starting it again: No broker of KAFKA_BROKERS answers/)
    await kafka.stop()
    await kafka.start()
    await run.untilOut([...sent, ...more])
    expect(await run.tally([...sent, ...more])).toEqual(EXACTLY_ONCE)
  })
})

async function started(
  settings: Readonly<Record<string, string>> = {},
  restricted?: RestrictedStack,
): Promise<Run> {
  const run = await startRun({
    ...restricted,
    settings: { ...SETTINGS, ...restricted?.settings, ...settings },
  })
  onTestFinished(run.close)
  return run
}

let sentSoFar = 0

/** Other transactions each time: the service asks for none of them twice. */
function send(run: Run): Promise<Coordinates[]> {
  const messages = Array.from({ length: EVENTS }, (_, at) => ({
    value: run.encode(eventFor({ name: 'passpassport', docType: null }, sentSoFar + at)),
  }))
  sentSoFar += EVENTS
  return run.send(messages)
}

function fields(replica: ServiceProcess): Readonly<Record<string, unknown>> {
  const last = replica.output().trim().split('\n').at(-1) ?? ''
  return JSON.parse(last) as Record<string, unknown>
}

/** The message of the last line it wrote, which has to be one of the log. */
function lastLine(replica: ServiceProcess): unknown {
  return fields(replica)['message']
}
