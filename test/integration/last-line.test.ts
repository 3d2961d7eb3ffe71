/** However the service ends or is hindered: its last line says it, and it is never stuck for ever. */
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
    expect(lastLine(replica)).toBe(
      'The service ends at once, because of a second signal. Records in hand will be read again.',
    )

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
    const saboteur = inline(`process.once('SIGWINCH', () => { ${code} })`)
    const replica = await run.startReplica({}, ['--import', saboteur, ...SERVICE])
    replica.signal('SIGWINCH')
    expect(await replica.exited).toBe(1)
    expect(lastLine(replica)).toBe(
      'An unexpected error ends the service. No event is lost: uncommitted records will be read again. Report the error with its stack.',
    )
    expect(fields(replica)).toMatchObject({ level: 'error', errorType })
    expect(replica.output()).not.toContain(PRIVATE)
    expectJsonLines(replica.output())
  })

  test('while the service starts ends it with a JSON line, too', async () => {
    const run = await started()
    // The listener for warnings is the first thing that the service adds.
    const saboteur = `process.on('newListener', (name) => name === 'warning' && setImmediate(() => { throw new RangeError('${PRIVATE}') }))`
    const service = startNode(['--import', inline(saboteur), ...SERVICE], run.environment.env)
    expect(await service.exited).toBe(1)
    expect(fields(service)).toMatchObject({ level: 'error', errorType: 'RangeError' })
    expect(service.output()).not.toContain(PRIVATE)
    expectJsonLines(service.output())
  })

  test('a warning of Node.js is a line of the log, without its text', async () => {
    const run = await started()
    const saboteur = `process.once('SIGWINCH', () => process.emitWarning('${PRIVATE}', { code: 'X001' }))`
    const replica = await run.startReplica({}, ['--import', inline(saboteur), ...SERVICE])
    replica.signal('SIGWINCH')
    await replica.line(/"code":"X001".*"message":"Node\.js has a warning/)
    expect(await replica.stop()).toBe(0)
    expect(replica.output()).not.toContain(PRIVATE)
    expectJsonLines(replica.output())
  })
})

test('brokers that take the group away while it runs end the service with 1 and what to do', async () => {
  const run = await started(loginSettings(inject('loginBroker')))
  const replica = await run.startReplica()
  await deny('tester', kafkajs.AclResourceTypes.GROUP, run.environment.groupId)
  expect(await replica.exited).toBe(1)
  expect(lastLine(replica)).toMatch(
    /^The Kafka consumer has stopped and the service exits: .*grant READ on the group/,
  )
})

/** A program as the address of a module. */
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
