import { describe, expect, test } from 'vitest'
import { historyHeaders } from '../../../../src/core/records/history.ts'
import type { ProcessedRecord } from '../../../../src/pipeline/record/outputs.ts'
import type { Decoded } from '../../../../src/ports.ts'
import { flushPromises as rest } from '../../../support/fake-clock.ts'
import { inputRecord } from '../../../support/fakes.ts'
import { outcomeOf, EVENT, PASSED, refused, processing, TIMEOUT } from '../../../support/processing.ts'
import { headersOf, headerText } from '../../../support/headers.ts'

function header(processed: ProcessedRecord | null | undefined, name: string): string | undefined {
  return headerText(processed?.outputs[0]?.headers ?? [], name)
}

describe('a record', () => {
  test('becomes a result with one call if the API answers', async () => {
    const { run, result, calls, permits, attempts } = processing([PASSED])
    await run(inputRecord(0))
    expect([outcomeOf(result()), attempts]).toEqual([[['result'], 'result'], [1]])
    expect([calls, permits.inFlight]).toEqual([[{ atMs: 0, inFlight: 1, withinMs: 8_000 }], 0])
  })

  test('becomes a dead letter without a call if its bytes are not an event', async () => {
    const { run, result, calls } = processing([], {
      kind: 'undecodable',
      code: 'empty-value',
      message: 'The value is empty.',
    })
    await run(inputRecord(0))
    expect([outcomeOf(result()), calls]).toEqual([[['dead'], 'dead-letter'], []])
    expect(header(result(), 'checkresult-code')).toBe('empty-value')
  })

  test.each([
    ['skip', [], 'skipped'],
    ['dead-letter', ['dead'], 'become dead letters'],
  ] as const)('makes no call if it is not an event: %s', async (foreignRecords, topics, logged) => {
    const decoded = { kind: 'foreign', foreign: 'tombstone', message: 'No value.' } as const
    const { run, result, calls, log } = processing([], decoded, { foreignRecords })
    await run(inputRecord(0))
    expect([outcomeOf(result()), calls]).toEqual([[topics, 'foreign'], []])
    expect(log.lines.map(({ message }) => message)).toEqual([expect.stringContaining(logged)])
  })

  test('is counted if its key is not its transaction id, but not again on a retry topic', async () => {
    const { run, metrics } = processing([PASSED])
    await run(inputRecord(0))
    await run(inputRecord(0, { topic: 'retry' }))
    expect(metrics.of('unkeyed')).toHaveLength(1)
  })

  test('waits for its schema before it takes a permit', async () => {
    const { promise, resolve: found } = Promise.withResolvers<Decoded>()
    const { run, result, metrics } = processing([PASSED], promise)
    await run(inputRecord(0))
    expect([result(), metrics.of('permitGranted')]).toEqual([undefined, []])
    found({ kind: 'event', event: EVENT })
    await rest()
    expect(outcomeOf(result())).toEqual([['result'], 'result'])
  })

  test('is dropped without a call if the service stops while it waits for its schema', async () => {
    const { run, result, calls } = processing([PASSED], Promise.resolve(null))
    await run(inputRecord(0))
    expect([result(), calls]).toEqual([null, []])
  })

  test('goes to the retry topic if its verification is not completed', async () => {
    const { run, result } = processing([refused(404, 'ProcessNotCompleted')])
    await run(inputRecord(0))
    expect(outcomeOf(result())).toEqual([['retry'], 'deferred'])
    expect(header(result(), 'checkresult-attempts')).toBe('1')
  })

  test('becomes a dead letter if it is rejected for good', async () => {
    const { run, result } = processing([refused(400, 'TransactionIdInvalid')])
    await run(inputRecord(0))
    expect([outcomeOf(result()), header(result(), 'checkresult-reason')]).toEqual([
      [['dead'], 'dead-letter'],
      'rejected',
    ])
  })
})

describe('an API that does not answer', () => {
  test('is called again after 0.2 s and 1 s, then the record goes to the retry topic', async () => {
    const { run, result, calls, clock } = processing([TIMEOUT])
    await run(inputRecord(0))
    await clock.advance(10_000)
    expect(calls.map(({ atMs }) => atMs)).toEqual([0, 200, 1_200])
    expect([outcomeOf(result()), header(result(), 'checkresult-attempts')]).toEqual([
      [['retry'], 'deferred'],
      '3',
    ])
  })

  test('uses up one attempt per unanswered call', async () => {
    const { run, clock, attempts } = processing([TIMEOUT, PASSED])
    await run(inputRecord(0))
    await clock.advance(200)
    expect(attempts).toEqual([2])
  })

  test('keeps no permit while the record waits', async () => {
    const { run, permits } = processing([TIMEOUT])
    await run(inputRecord(0))
    expect(permits.inFlight).toBe(0)
  })
})

describe("an error that is not the record's fault", () => {
  test('retries a throttled record with a new permit and uses up no attempt', async () => {
    const { run, calls, attempts, metrics } = processing([refused(400, 'Throttling.User', 100), PASSED])
    await run(inputRecord(0))
    expect([calls.length, attempts, metrics.of('permitGranted').length]).toEqual([2, [1], 2])
    expect(metrics.of('wastedCall')).toEqual([['throttled']])
  })

  test('opens the circuit breaker and waits for the probe if the account is rejected', async () => {
    const { run, calls, attempts, clock, permits } = processing([
      refused(403, 'Forbidden.NoPermission'),
      PASSED,
    ])
    await run(inputRecord(0))
    expect(permits.openReason).toBe('credentials')
    await clock.advance(5_000)
    expect([calls.map(({ atMs }) => atMs), attempts, permits.openReason]).toEqual([[0, 5_000], [1], null])
  })
})

test('a canceled record returns null and makes no call', async () => {
  const { run, result, calls } = processing([PASSED])
  await run(inputRecord(0), () => false)
  expect([result(), calls]).toEqual([null, []])
})

test('a record that is canceled after a failed call makes no further call', async () => {
  const { run, result, calls, clock } = processing([TIMEOUT])
  let isWanted = true
  await run(inputRecord(0), () => isWanted)
  isWanted = false
  await clock.advance(200)
  expect([result(), calls.length]).toEqual([null, 1])
})

describe('the history of a record', () => {
  const headers = historyHeaders({
    attempts: 4,
    firstSeenMs: 1_000,
    source: { topic: 'elsewhere', partition: 7, offset: 99n },
    redrives: 0,
  })

  test('is trusted on a retry topic', async () => {
    const { run, attempts, metrics } = processing([PASSED])
    await run(inputRecord(0, { topic: 'retry', headers }))
    expect([attempts, metrics.of('permitGranted')[0]?.[0]]).toEqual([[5], 'deferred'])
  })

  test('is ignored on the input topic, where any producer may write', async () => {
    const { run, attempts, metrics } = processing([PASSED])
    await run(inputRecord(0, { headers }))
    expect([attempts, metrics.of('permitGranted')[0]?.[0]]).toEqual([[1], 'fresh'])
  })

  test('gives a redriven record the lowest priority on every topic', async () => {
    const redriven = headersOf({ 'checkresult-redrives': '1' })
    for (const topic of ['in', 'retry']) {
      const { run, metrics } = processing([PASSED])
      await run(inputRecord(0, { topic, headers: [...headers, ...redriven] }))
      expect(metrics.of('permitGranted')[0]?.[0]).toBe('redriven')
    }
  })

  test('is passed on to its retry copies and its next dead letter', async () => {
    const redriven = headersOf({ 'checkresult-redrives': '2' })
    for (const code of ['ProcessNotCompleted', 'TransactionIdInvalid']) {
      const { run, result } = processing([refused(404, code)])
      await run(inputRecord(0, { headers: redriven }))
      expect(header(result(), 'checkresult-redrives')).toBe('2')
    }
  })

  test('turns it into a dead letter if it is too old', async () => {
    const { run, result } = processing([refused(404, 'ProcessNotCompleted')])
    await run(inputRecord(0, { topic: 'retry', headers }))
    expect([outcomeOf(result()), header(result(), 'checkresult-reason')]).toEqual([
      [['dead'], 'dead-letter'],
      'not-completed',
    ])
    expect(header(result(), '__connect.errors.offset')).toBe('99')
  })
})

test('a call whose permit has expired is not made or counted, and waits for another permit', async () => {
  const { run, calls, metrics, result } = processing([null, PASSED])
  await run(inputRecord(1))
  expect(calls).toHaveLength(2)
  expect(metrics.of('called')).toHaveLength(1)
  expect(outcomeOf(result())).toEqual([['result'], 'result'])
})

test('each call is counted by its code and outcome', async () => {
  const { run, metrics, clock } = processing([TIMEOUT, refused(400, 'Throttling'), PASSED])
  await run(inputRecord(0))
  await clock.advance(10_000)
  expect(metrics.of('called')).toEqual([
    [{ code: 'timeout', outcome: 'unavailable', seconds: 0 }],
    [{ code: 'Throttling', outcome: 'throttled', seconds: 0 }],
    [{ code: 'Success', outcome: 'final', seconds: 0 }],
  ])
})

test('each call, its retry and its end are logged at level debug, without the transaction', async () => {
  const { run, clock, log } = processing([TIMEOUT, refused(404, 'ProcessNotCompleted')])
  await run(inputRecord(7))
  await clock.advance(200)
  const lines = log.lines.filter(({ level }) => level === 'debug')
  expect(lines.map(({ fields }) => fields)).toMatchObject([
    { topic: 'in', partition: 0, offset: '7', code: 'timeout', outcome: 'unavailable' },
    { offset: '7', attempt: 1, durationMs: 200 },
    { offset: '7', code: 'ProcessNotCompleted', outcome: 'deferred', reason: 'not-completed' },
    { offset: '7', outcome: 'deferred', attempt: 2 },
  ])
  expect(lines.at(-1)?.message).toBe('No further call follows for this record for now.')
  const { transactionId, merchantBizId } = EVENT
  for (const id of [transactionId, merchantBizId]) expect(JSON.stringify(lines)).not.toContain(`"${id}"`)
})

test('the debug line after a result says that no further call follows', async () => {
  const { run, log } = processing([PASSED])
  await run(inputRecord(7))
  const last = log.lines.findLast(({ level }) => level === 'debug')
  expect(last?.message).toBe('No further call follows for this record.')
})
