/** Records that the API rejects, alone or together with all others: their outcome, and the effect on other records and the quota. */
import { describe, expect, test } from 'vitest'
import type { CallResult } from '../../../../src/core/calls/circuit-breaker.ts'
import { historyHeaders } from '../../../../src/core/records/history.ts'
import { RefusedRecord } from '../../../../src/core/calls/refusals.ts'
import type { ProcessedRecord } from '../../../../src/pipeline/record/outputs.ts'
import { inputRecord } from '../../../support/fakes.ts'
import { headerText } from '../../../support/headers.ts'
import { ANSWERED, limited, queueWith, throttled } from '../../../support/permit-queue.ts'
import { outcomeOf, PASSED, refused, processing } from '../../../support/processing.ts'

function header(processed: ProcessedRecord | null | undefined, name: string): string | undefined {
  return headerText(processed?.outputs[0]?.headers ?? [], name)
}

/** Makes calls for other records, all of them answered, while `made` is running. */
async function whileOthersSucceed(made: ReturnType<typeof processing>, seconds: number): Promise<void> {
  for (let round = 0; round < seconds * 10; round += 1) {
    const ticket = await made.permits.acquire('fresh', 'in:1', () => true)
    ticket?.release({ kind: 'final' })
    await made.clock.advance(100)
  }
}

async function mixed() {
  const made = queueWith({ limiter: limited() })
  const record = new RefusedRecord()
  const call = async (result: CallResult, of?: RefusedRecord) => {
    made.ask('call')
    await made.clock.advance(100)
    return made.release(result, of)
  }
  await call(ANSWERED)
  return { ...made, call, record }
}

describe('a record that is rejected while others succeed', () => {
  test.each([
    [403, 'Forbidden.RAMUserAccessDenied', 'refused', 2],
    [400, 'SomethingNobodyDocumented', 'unknown-code', 2],
    [401, '', 'unknown-code', 2],
    [400, 'Throttling.User', 'throttled', 4],
  ])('goes to the retry topic: %i %s', async (status, code, reason, calls) => {
    const made = processing([refused(status, code)])
    await whileOthersSucceed(made, 1)
    await made.run(inputRecord(0))
    await whileOthersSucceed(made, 10)
    expect([outcomeOf(made.result()), made.calls.length]).toEqual([[['retry'], 'deferred'], calls])
    expect(made.result()?.counts).toEqual({ kind: 'deferred', reason })
    expect(header(made.result(), 'checkresult-attempts')).toBe('1')
    expect([made.permits.openReason, made.metrics.of('circuit')]).toEqual([null, []])
  })

  test('waits one second between its calls, or as long as the API asks, up to two seconds', async () => {
    const made = processing([
      refused(400, 'Throttling.User', 60_000),
      refused(400, 'Throttling.User'),
      PASSED,
    ])
    await whileOthersSucceed(made, 1)
    await made.run(inputRecord(0))
    await whileOthersSucceed(made, 5)
    const [first = 0, ...later] = made.calls.map(({ atMs }) => atMs)
    expect([later.map((atMs) => atMs - first), outcomeOf(made.result())]).toEqual([
      [2_000, 3_000],
      [['result'], 'result'],
    ])
  })

  test('becomes a dead letter if it is too old for another retry topic', async () => {
    const made = processing([refused(403, 'Forbidden.RAMUserAccessDenied')])
    await whileOthersSucceed(made, 1)
    const old = historyHeaders({
      attempts: 9,
      firstSeenMs: 1_000,
      source: { topic: 'in', partition: 0, offset: 0n },
      redrives: 0,
    })
    await made.run(inputRecord(0, { topic: 'retry', headers: old }))
    await whileOthersSucceed(made, 3)
    expect(made.result()?.counts).toMatchObject({ kind: 'dead-letter', reason: 'refused' })
    expect(header(made.result(), 'checkresult-code')).toBe('Forbidden.RAMUserAccessDenied')
  })
})

describe('a record that is rejected while no other record is in progress', () => {
  test('retries indefinitely and is neither deferred nor dead-lettered', async () => {
    const { run, result, calls, clock, permits } = processing([refused(400, 'SomethingNobodyDocumented')])
    await run(inputRecord(0))
    await clock.advance(3 * 3_600_000)
    expect([result(), permits.status]).toEqual([
      undefined,
      'open, reason refused (SomethingNobodyDocumented)',
    ])
    expect(calls.length).toBeLessThan(250)
  })

  test('goes to the retry topic once another record succeeds', async () => {
    const { run, result, clock, permits } = processing([refused(400, 'SomethingNobodyDocumented')])
    await run(inputRecord(0))
    await clock.advance(600_000)
    const ticket = await permits.acquire('fresh', 'in:1', () => true)
    ticket?.release({ kind: 'final' })
    await clock.advance(1_000)
    expect([permits.openReason, result()?.counts]).toEqual([
      null,
      { kind: 'deferred', reason: 'unknown-code' },
    ])
  })
})

describe('a retry hint from the API', () => {
  test('delays the next attempt', async () => {
    const { run, calls, clock } = processing([refused(503, 'ServiceUnavailable', 3_000), PASSED])
    await run(inputRecord(0))
    await clock.advance(10_000)
    expect(calls.map(({ atMs }) => atMs)).toEqual([0, 3_000])
  })

  test('sends the record to the retry topic at once if it is longer than the record may wait', async () => {
    const { run, result, calls } = processing([refused(503, 'ServiceUnavailable', 8_000)])
    await run(inputRecord(0))
    expect([outcomeOf(result()), calls.length]).toEqual([[['retry'], 'deferred'], 1])
  })
})

describe('a record that is throttled while others succeed', () => {
  test('does not slow the quota down, and is blamed itself the fourth time', async () => {
    const { call, record, granted } = await mixed()
    const blames: unknown[] = []
    for (let round = 0; round < 4; round += 1) {
      blames.push(await call(throttled(60_000), record))
      await call(ANSWERED)
    }
    expect(blames).toEqual(['undecided', 'undecided', 'undecided', 'record'])
    expect(granted.map(({ atMs }) => atMs)).toEqual(Array.from({ length: 9 }, (_, at) => at * 100))
  })

  test('opens the circuit breaker if another record is throttled, too', async () => {
    const { call, record, queue } = await mixed()
    expect(await call(throttled(10_000), record)).toBe('undecided')
    expect(await call(throttled(10_000), new RefusedRecord())).toBe('account')
    expect(queue.openReason).toBe('throttled')
  })
})
