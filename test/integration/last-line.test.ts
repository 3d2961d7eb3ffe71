/** However the service ends, its last log line gives the reason, and it never hangs. */
import kafkajs from 'kafkajs'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { startNode, type Env } from '../../dev/harness/commands.ts'
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
  test('ends the service with 0 in time although the API hangs, and nothing comes out twice after a restart', async () => {
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

  test('that follows another one ends the service at once with 1', async () => {
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
    expect(lastLine(replica)).toBe(
      'The service ends at once, because of a second signal. Uncommitted records will be read again.',
    )

    run.simulator.setFaults({})
    await run.startReplica()
    await run.untilOut(sent)
    expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
  })
})

describe('an unexpected error', () => {
  const PRIVATE = 'not to be logged'
  test.each([
    ['a thrown error', `throw new RangeError('${PRIVATE}')`, 'RangeError'],
    ['an unhandled rejection', `Promise.reject(new RangeError('${PRIVATE}'))`, 'RangeError'],
    ['a rejection without a reason', 'Promise.reject()', 'undefined'],
  ])('(%s) ends the service with 1 and a message', async (_, code, errorType) => {
    const run = await started()
    // A signal that neither Node nor the service handles.
    const saboteur = inline(`process.once('SIGWINCH', () => { ${code} })`)
    const replica = await run.startReplica({}, ['--import', saboteur])
    replica.signal('SIGWINCH')
    expect(await replica.exited).toBe(1)
    expect(lastLine(replica)).toBe(
      'An unexpected error ends the service. No event is lost: uncommitted records will be read again. Report the error with its stack.',
    )
    expect(fields(replica)).toMatchObject({ level: 'error', errorType })
    expect(replica.output()).not.toContain(PRIVATE)
    expectJsonLines(replica.output())
  })

  test('during startup also ends the service with a JSON line', async () => {
    const run = await started()
    // The listener for warnings is the first one that the service adds.
    const saboteur = `process.on('newListener', (name) => name === 'warning' && setImmediate(() => { throw new RangeError('${PRIVATE}') }))`
    const service = startNode(['--import', inline(saboteur), ...SERVICE], run.environment.env)
    expect(await service.exited).toBe(1)
    expect(fields(service)).toMatchObject({ level: 'error', errorType: 'RangeError' })
    expect(service.output()).not.toContain(PRIVATE)
    expectJsonLines(service.output())
  })

  test('a Node.js warning is logged without its text', async () => {
    const run = await started()
    const saboteur = `process.once('SIGWINCH', () => process.emitWarning('${PRIVATE}', { code: 'X001' }))`
    const replica = await run.startReplica({}, ['--import', inline(saboteur)])
    replica.signal('SIGWINCH')
    await replica.line(/"code":"X001".*"message":"Node\.js has a warning/)
    expect(await replica.stop()).toBe(0)
    expect(replica.output()).not.toContain(PRIVATE)
    expectJsonLines(replica.output())
  })
})

test('if the right to the group is revoked, the service exits with 1 and says what to do', async () => {
  const run = await started(loginSettings(inject('loginBroker')))
  const replica = await run.startReplica()
  await deny('tester', kafkajs.AclResourceTypes.GROUP, run.environment.groupId)
  expect(await replica.exited).toBe(1)
  expect(lastLine(replica)).toMatch(
    /^The Kafka consumer has stopped and the service exits: .*grant READ on the group/,
  )
})

/** The program as a data: URL of a module. */
function inline(program: string): string {
  return `data:text/javascript,${encodeURIComponent(program)}`
}

function expectJsonLines(output: string): void {
  for (const line of output.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('message')
}

async function started(settings: Env = {}): Promise<Run> {
  const run = await startRun({ settings: { ...SETTINGS, ...settings } })
  onTestFinished(run.close)
  return run
}
