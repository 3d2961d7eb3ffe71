/** However the service ends or is hindered: its last line says it, and it is never stuck for ever. */
import kafkajs from 'kafkajs'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import type { Env } from '../../dev/harness/commands.ts'
import { SERVICE } from '../../dev/harness/service.ts'
import { fields, lastLine } from '../support/log-lines.ts'
import { deny } from '../support/deny.ts'
import { loginSettings } from '../support/login-listener.ts'
import { EXACTLY_ONCE } from '../support/outputs.ts'
import { startRun, type Run } from '../support/run.ts'

const EVENTS = 200
const CALL_MS = 1_000
const DEADLINE_MS = 6_000
const SETTINGS = {
  CHECKRESULT_TIMEOUT: `${CALL_MS}ms`,
  SHUTDOWN_DEADLINE: `${DEADLINE_MS}ms`,
  KAFKA_SESSION_TIMEOUT: '6s',
}

describe('a signal', () => {
  test('while the API hangs ends the service with 0 in time, and after a restart nothing comes out twice', async () => {
    const run = await started()
    run.simulator.setFaults({ all: 'hang' })
    const hung = await run.startReplica()
    const sent = await run.sendFresh(EVENTS)
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
    const run = await started({ CHECKRESULT_TIMEOUT: '20s', SHUTDOWN_DEADLINE: '30s' })
    run.simulator.setFaults({ all: 'hang' })
    const replica = await run.startReplica()
    const sent = await run.sendFresh(EVENTS)
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
    const replica = await run.startReplica({}, ['--import', saboteur, ...SERVICE])
    replica.signal('SIGWINCH')
    expect(await replica.exited).toBe(1)
    expect(lastLine(replica)).toBe(
      'An unexpected error ends the service; nothing is lost, the records in hand are read again.',
    )
    expect(fields(replica)).toMatchObject({ level: 'error', errorType })
    expect(replica.output()).not.toContain(PRIVATE)
  })
})

test('brokers that take the group away while it runs end the service with 1 and what to do', async () => {
  const run = await started(loginSettings(inject('loginBroker')))
  const replica = await run.startReplica()
  await deny('tester', kafkajs.AclResourceTypes.GROUP, run.environment.groupId)
  expect(await replica.exited).toBe(1)
  expect(lastLine(replica)).toMatch(/^The Kafka consumer has ended: .*grant READ on the group/)
})

async function started(settings: Env = {}): Promise<Run> {
  const run = await startRun({ settings: { ...SETTINGS, ...settings } })
  onTestFinished(run.close)
  return run
}
