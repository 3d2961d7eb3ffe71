/** Answers that once broke the service, and their effect on the event, on other events and on the calls. */
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import type { Message } from 'kafkajs'
import { describe, test, type ExpectStatic } from 'vitest'
import { eventFor } from '../../../dev/harness/events.ts'
import { metricSum, type ServiceProcess } from '../../../dev/harness/service.ts'
import type { Response } from '../../../simulator/scenarios.ts'
import type { ReadRecord } from '../../support/kafka.ts'
import { decodeResult, EXACTLY_ONCE, header, type Coordinates } from '../../support/outputs.ts'
import { startRun, type Run } from '../../support/run.ts'
import { answering, once, page, refusal, success } from '../../support/vendor-answers.ts'

const HKID = '00000008'
const CLOCK = fileURLToPath(new URL('../../chaos/clock.ts', import.meta.url))
const HOUR = '3600000'
const HEARTBEAT = 'checkresult_last_heartbeat_timestamp_seconds'

/** One event per partition, or all events on this partition. */
function messages(run: Run, name: string, { count = 1, partition }: Spread = {}): Message[] {
  return Array.from({ length: count }, (_, number) => {
    const event = eventFor({ name, docType: HKID }, number)
    // The first partition is reserved for rejected events.
    const target = partition ?? 1 + (number % 7)
    return { key: event.transactionId, value: run.encode(event), partition: target }
  })
}

interface Spread {
  readonly count?: number
  readonly partition?: number
}

function of(records: readonly ReadRecord[], name: string): ReadRecord[] {
  return records.filter(({ key }) => key?.toString().startsWith(`${name}x`))
}

function closed(reason: string): string {
  return `checkresult_circuit_open{reason="${reason}"}`
}

async function untilClosed(replica: ServiceProcess, reason: string, expect: ExpectStatic): Promise<void> {
  const read = async (): Promise<number> => metricSum(await replica.metrics(), closed(reason))
  await expect.poll(read, { timeout: 20_000 }).toBe(1)
}

async function statusOf(replica: ServiceProcess): Promise<string> {
  const { status } = await fetch(`${replica.opsUrl}/readyz`)
  if (status !== 200) throw new Error(`The service is not ready: /readyz answered ${status}.`)
  return (await fetch(replica.opsUrl)).text()
}

const MEMBERS = {
  ...Object.fromEntries(Array.from({ length: 80 }, (_, at) => [`unknown${at}`, 'TEST'])),
  name: { value: 'CESHI', confidence: 0.9 },
  idNumber: 'L898902C<',
  address: 'Sample Road '.repeat(100),
  birthDate: { year: 1990 },
  hobbies: ['TEST', 'TEST'],
}

/** Each answer is for one event only. All other events get normal answers. */
const ODD = {
  alwaysforbidden: refusal(403, 'Forbidden.RAMUserAccessDenied'),
  alwaysthrottled: refusal(400, 'Throttling.User'),
  alwaysunknown: refusal(400, 'SomethingNobodyDocumented'),
  alwaysdenied: page(403),
  finalhint: refusal(400, 'TransactionIdInvalid', { 'x-acs-retry-after': '3000' }),
  html429: once(page(429, { 'retry-after': '1' })),
  html503: once(page(503, { 'retry-after': '1' })),
  members: success({
    Passed: 'Y',
    SubCode: '200',
    ExtIdInfo: { ocrIdInfo: MEMBERS, spoofInfo: { spoofResult: 'N' } },
  }),
  resulttext: success(JSON.stringify({ Passed: 'Y', SubCode: '200' })),
  resulttwice: success(JSON.stringify(JSON.stringify({ Passed: 'N', SubCode: '205' }))),
  passedlower: success({ Passed: ' y\n', SubCode: '200' }),
  passedtrue: success({ Passed: true, SubCode: '200' }),
  passedfalse: success({ Passed: 'false', SubCode: '205' }),
  passedodd: success({ Passed: 'maybe', SubCode: '200' }),
  resultodd: success('{"Passed":"Y"'),
} as const

const VERDICTS = {
  html429: 'PASSED',
  html503: 'PASSED',
  members: 'PASSED',
  resulttext: 'PASSED',
  resulttwice: 'FAILED',
  passedlower: 'PASSED',
  passedtrue: 'PASSED',
  passedfalse: 'FAILED',
} as const

const DEAD_LETTERS = {
  alwaysforbidden: ['refused', 'Forbidden.RAMUserAccessDenied'],
  alwaysthrottled: ['refused', 'Throttling.User'],
  alwaysunknown: ['unknown-code', 'SomethingNobodyDocumented'],
  alwaysdenied: ['unknown-code', 'HTTP 403'],
  finalhint: ['rejected', 'TransactionIdInvalid'],
  passedodd: ['unreadable-answer', 'Success'],
  resultodd: ['unreadable-answer', 'Success'],
} as const

describe.concurrent.each(['exactly-once', 'at-least-once'])(
  'an answer for one event, with %s delivery',
  (delivery) => {
    test('stops no other event, and gives a result or a dead letter', async ({ expect, onTestFinished }) => {
      const run = await startRun({
        simulator: { respond: answering(ODD) },
        settings: { KAFKA_DELIVERY: delivery, DEFER_DELAYS: '1s', DEFER_MAX_AGE: '3s' },
      })
      onTestFinished(run.close)
      const replica = await run.startReplica()
      const sent: Coordinates[] = await run.sendFresh(40)
      await run.untilOut(sent)
      const odd = await run.send(Object.keys(ODD).flatMap((name) => messages(run, name, { partition: 0 })))
      const isOut = run.untilOut(odd).then(() => true)
      // Other events arrive all the time and do not wait for the rejected ones.
      let slowestMs = 0
      for (let round = 0; !(await Promise.race([isOut, delay(50, false)])); round += 1) {
        const startedMs = performance.now()
        const fresh = await run.send(messages(run, `passpassport${round}a`, { count: 7 }))
        await run.untilOut(fresh)
        slowestMs = Math.max(slowestMs, performance.now() - startedMs)
        sent.push(...fresh)
      }
      expect(slowestMs).toBeLessThan(5_000)

      const verdicts = Object.keys(VERDICTS).map((name) => [
        name,
        of(run.results(), name).map((one) => decodeResult(one).verdict),
      ])
      expect(verdicts).toEqual(Object.entries(VERDICTS).map(([name, verdict]) => [name, [verdict]]))
      const deadLetters = Object.keys(DEAD_LETTERS).map((name) => [
        name,
        of(run.deadLetters(), name).map((one) =>
          ['checkresult-reason', 'checkresult-code'].map((h) => header(one, h)),
        ),
      ])
      expect(deadLetters).toEqual(
        Object.entries(DEAD_LETTERS).map(([name, deadLetter]) => [name, [deadLetter]]),
      )
      expect(of(run.deadLetters(), 'finalhint').map((one) => header(one, 'checkresult-attempts'))).toEqual([
        '1',
      ])

      const [members] = of(run.results(), 'members')
      expect(members === undefined ? null : decodeResult(members).document?.fields).toMatchObject({
        name: 'CESHI',
        idNumber: 'L898902C',
        address: null,
        raw: { idNumber: 'L898902C<', unknown0: 'TEST', unknown63: 'TEST' },
      })
      const metrics = await replica.metrics()
      const dropped = ['address', 'birthDate', 'other', 'name'].map((member) =>
        metricSum(metrics, `checkresult_dropped_members_total{member="${member}"}`),
      )
      expect(dropped).toEqual([1, 1, 17, 0])
      const deferred = ['refused', 'unknown-code', 'throttled'].map(
        (reason) => metricSum(metrics, `checkresult_deferred_total{reason="${reason}"}`) > 0,
      )
      expect(deferred).toEqual([true, true, false])

      // Calls were never paused, and the rate did not decrease.
      expect(replica.output()).not.toContain('The circuit breaker is open')
      expect(await replica.stop()).toBe(0)
      expect(await run.tally([...sent, ...odd])).toEqual(EXACTLY_ONCE)
    })
  },
)

describe.concurrent('an answer for every event', () => {
  test('pauses calls with the code of the API, and nothing becomes a dead letter', async ({
    expect,
    onTestFinished,
  }) => {
    const lower = JSON.stringify({ code: 'SomethingNobodyDocumented', message: 'no', requestId: 'r' })
    const unknown: Response = { kind: 'raw', status: 401, headers: {}, body: lower }
    let answer: Response | null = refusal(400, 'InsufficientBalance')
    const run = await startRun({ simulator: { respond: () => answer } })
    onTestFinished(run.close)
    const replica = await run.startReplica()
    // Each event is sent twice, because a repeated event says nothing about whether events can be processed.
    const twice = messages(run, 'passhkid2018', { count: 60, partition: 0 }).flatMap((event) => [
      event,
      event,
    ])
    const positions = await run.send(twice)
    const sent = positions.filter((_, at) => at % 2 === 0)
    await untilClosed(replica, 'account', expect)
    expect(await statusOf(replica)).toContain('open, reason account (InsufficientBalance)')
    answer = unknown
    await untilClosed(replica, 'refused', expect)
    expect(await statusOf(replica)).toContain('open, reason refused (SomethingNobodyDocumented)')
    await replica.line(/The circuit breaker is open, reason refused \(SomethingNobodyDocumented\)/)
    expect(run.outputs.records).toEqual([])
    answer = null
    await run.untilOut(sent)
    expect(await replica.stop()).toBe(0)
    expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
    expect(run.deadLetters()).toEqual([])
  })

  test('with a long retry hint pauses calls for at most a minute, with a reason, and then a probe follows', async ({
    expect,
    onTestFinished,
  }) => {
    let hint: string | null = '6000'
    const run = await startRun({
      simulator: {
        respond: () =>
          hint === null ? null : refusal(400, 'Throttling.User', { 'x-acs-retry-after': hint }),
      },
    })
    onTestFinished(run.close)
    const replica = await run.startReplica()
    const sent = await run.sendFresh(20)
    await untilClosed(replica, 'throttled', expect)
    await replica.line(/The circuit breaker is open, reason throttled \(Throttling\.User\)/)
    hint = null
    await run.untilOut(sent)
    hint = HOUR
    await run.sendFresh(20)
    await untilClosed(replica, 'throttled', expect)
    expect(await statusOf(replica)).toContain('open, reason throttled (Throttling.User)')
    expect(await replica.stop()).toBe(0)
  })

  test('that rejects the clock pauses calls, and the log says how wrong the clock is', async ({
    expect,
    onTestFinished,
  }) => {
    const run = await startRun()
    onTestFinished(run.close)
    const replica = await run.startReplica({}, ['--import', CLOCK])
    const before = await run.sendFresh(8)
    await run.untilOut(before)
    replica.signal('SIGWINCH')
    const heartbeatS = async (): Promise<number> => metricSum(await replica.metrics(), HEARTBEAT)
    await expect.poll(heartbeatS).toBeGreaterThan(Date.now() / 1000 + 600)
    const sent = await run.sendFresh(40)
    await replica.line(/The circuit breaker is open, reason clock \(InvalidTimeStamp\.Expired\)/)
    expect(replica.output()).toContain('The clock of this machine is 20 min ahead of the clock of the API.')
    expect(await statusOf(replica)).toContain('open, reason clock (InvalidTimeStamp.Expired)')
    replica.signal('SIGWINCH')
    await run.untilOut(sent)
    expect(await replica.stop()).toBe(0)
    expect(run.deadLetters()).toEqual([])
  })
})

test('that rejects every event trips the dead-letter limit, even if half of the events are repeats', async ({
  expect,
  onTestFinished,
}) => {
  const run = await startRun({ settings: { DEAD_LETTER_LIMIT_COOLDOWN: '1h' } })
  onTestFinished(run.close)
  const replica = await run.startReplica()
  const twice = messages(run, 'invalidid', { count: 300, partition: 0 }).flatMap((event) => [event, event])
  await run.send(twice)
  await untilClosed(replica, 'dead-letter-limit', expect)
  await run.outputs.until(() => run.deadLetters().length >= 50)
  expect(await replica.stop()).toBe(0)
  expect(run.deadLetters()).toHaveLength(50)
})
