import { describe, expect, test } from 'vitest'
import type { CheckAnswer, Reply } from '../../../src/core/answer.ts'
import { historyHeaders } from '../../../src/core/history.ts'
import { RecentTransactions } from '../../../src/core/recent-transactions.ts'
import type { VerificationCompleted } from '../../../src/core/schema-types.ts'
import { UNLIMITED } from '../../../src/core/token-bucket.ts'
import { Outputs, type Settled } from '../../../src/pipeline/outputs.ts'
import { PermitQueue } from '../../../src/pipeline/permit-queue.ts'
import { Brake } from '../../../src/pipeline/brake.ts'
import { createSettle, type RecordLife } from '../../../src/pipeline/settle.ts'
import type { Decoded, InputRecord } from '../../../src/ports.ts'
import { FakeClock, settle as rest } from '../../support/fake-clock.ts'
import { fakeLog, fakeMetrics, inputRecord } from '../../support/fakes.ts'

const EVENT: VerificationCompleted = {
  transactionId: 't1',
  merchantBizId: 'b1',
  productCode: 'ID_OCR',
  docType: '00000008',
  completedAt: 1,
  passed: null,
  subCode: null,
}
const ANSWER: CheckAnswer = {
  requestId: 'r',
  passed: 'Y',
  subCode: '200',
  document: 'absent',
  spoofed: null,
  spoofTypes: [],
  faceAttacked: null,
}
const PASSED: Reply & { kind: 'answer' } = {
  kind: 'answer',
  status: 200,
  code: 'Success',
  requestId: 'r',
  retryAfterMs: null,
  answer: ANSWER,
}
const TIMEOUT: Reply = { kind: 'no-answer', failure: 'timeout', status: null }

function refused(status: number, code: string, retryAfterMs: number | null = null): Reply {
  return { ...PASSED, status, code, retryAfterMs, answer: null }
}

/** Answers in order; the last one for ever. */
function settling(
  replies: readonly Reply[],
  decoded: Decoded | Promise<Decoded | null> = { kind: 'event', event: EVENT },
  callMs = 0,
) {
  const clock = new FakeClock()
  const metrics = fakeMetrics()
  const permits = new PermitQueue({ limiter: UNLIMITED, maxInFlight: 10, clock, metrics, log: fakeLog() })
  const brake = new Brake({ share: 0.5, holdMs: 60_000, permits, clock })
  const recent = new RecentTransactions(60_000)
  const calls: { atMs: number; inFlight: number; withinMs: number }[] = []
  const attempts: number[] = []
  const outputs = new Outputs({
    topics: { input: 'in', result: 'result', deadLetter: 'dead' },
    retryTopics: [{ topic: 'retry', delayMs: 10_000 }],
    maxAgeMs: 3_600_000,
    pii: 'include',
    service: 'checkresult-stream/0',
    encode: (result) => {
      attempts.push(result.attempts)
      return Buffer.from(result.transactionId)
    },
    partitions: () => 1,
    clock,
  })
  const settle = createSettle({
    inputTopic: 'in',
    decode: () => decoded,
    check: async (_, withinMs) => {
      calls.push({ atMs: clock.monotonicMs(), inFlight: permits.inFlight, withinMs })
      const reply = replies[calls.length - 1] ?? replies.at(-1) ?? PASSED
      if (callMs > 0) await new Promise<void>((resolve) => void clock.after(callMs, resolve))
      return reply
    },
    timeoutMs: 8_000,
    permits,
    brake,
    outputs,
    clock,
    metrics,
  })
  let result: Settled | null | undefined
  const run = async (record: InputRecord, wanted = (): boolean => true): Promise<void> => {
    const life: RecordLife = {
      wanted,
      calling: () => undefined,
      repeats: (id) => recent.repeats(id, record.offset, clock.monotonicMs()),
      forget: (id) => recent.forget(id),
    }
    void settle(record, life).then((settled) => (result = settled))
    await rest()
  }
  return { run, clock, metrics, permits, brake, calls, attempts, result: () => result }
}

/** Topics and counts of what came out. */
function came(settled: Settled | null | undefined): unknown {
  return settled && [settled.outputs.map(({ topic }) => topic), settled.counts.kind]
}

function header(settled: Settled | null | undefined, name: string): string {
  return String(settled?.outputs[0]?.headers[name])
}

describe('a record', () => {
  test('becomes a result with one call when it is answered', async () => {
    const { run, result, calls, permits, attempts } = settling([PASSED])
    await run(inputRecord(0))
    expect([came(result()), attempts]).toEqual([[['result'], 'result'], [1]])
    expect([calls, permits.inFlight]).toEqual([[{ atMs: 0, inFlight: 1, withinMs: 8_000 }], 0])
  })

  test('becomes a dead letter without a call when its bytes are no event', async () => {
    const { run, result, calls } = settling([], {
      kind: 'undecodable',
      code: 'tombstone',
      message: 'No value.',
    })
    await run(inputRecord(0))
    expect([came(result()), calls]).toEqual([[['dead'], 'dead-letter'], []])
    expect(header(result(), 'checkresult-code')).toBe('tombstone')
  })

  test('waits for its schema before it takes a permit', async () => {
    const { promise, resolve: found } = Promise.withResolvers<Decoded>()
    const { run, result, metrics } = settling([PASSED], promise)
    await run(inputRecord(0))
    expect([result(), metrics.of('permitGranted')]).toEqual([undefined, []])
    found({ kind: 'event', event: EVENT })
    await rest()
    expect(came(result())).toEqual([['result'], 'result'])
  })

  test('comes to nothing, without a call, when the service stops before its schema was told', async () => {
    const { run, result, calls } = settling([PASSED], Promise.resolve(null))
    await run(inputRecord(0))
    expect([result(), calls]).toEqual([null, []])
  })

  test('goes to the retry topic when its verification is not completed', async () => {
    const { run, result } = settling([refused(404, 'ProcessNotCompleted')])
    await run(inputRecord(0))
    expect(came(result())).toEqual([['retry'], 'deferred'])
    expect(header(result(), 'checkresult-attempts')).toBe('1')
  })

  test('becomes a dead letter when it is refused for good', async () => {
    const { run, result } = settling([refused(400, 'TransactionIdInvalid')])
    await run(inputRecord(0))
    expect([came(result()), header(result(), 'checkresult-reason')]).toEqual([
      [['dead'], 'dead-letter'],
      'rejected',
    ])
  })
})

describe('an API that does not answer', () => {
  test('is asked again after 0.2 s and after 1 s, then the record goes to the retry topic', async () => {
    const { run, result, calls, clock } = settling([TIMEOUT])
    await run(inputRecord(0))
    await clock.advance(10_000)
    expect(calls.map(({ atMs }) => atMs)).toEqual([0, 200, 1_200])
    expect([came(result()), header(result(), 'checkresult-attempts')]).toEqual([[['retry'], 'deferred'], '3'])
  })

  test('costs one attempt for each call it did not answer', async () => {
    const { run, clock, attempts } = settling([TIMEOUT, PASSED])
    await run(inputRecord(0))
    await clock.advance(200)
    expect(attempts).toEqual([2])
  })

  test('holds no permit while the record waits', async () => {
    const { run, permits } = settling([TIMEOUT])
    await run(inputRecord(0))
    expect(permits.inFlight).toBe(0)
  })
})

describe('what is not the fault of the record', () => {
  test('throttling makes it go again at once, with a new permit and no attempt used up', async () => {
    const { run, calls, attempts, metrics } = settling([refused(400, 'Throttling.User', 100), PASSED])
    await run(inputRecord(0))
    expect([calls.length, attempts, metrics.of('permitGranted').length]).toEqual([2, [1], 2])
  })

  test('a refusal of the account closes the gate and makes it wait for the probe', async () => {
    const { run, calls, attempts, clock, permits } = settling([
      refused(403, 'Forbidden.NoPermission'),
      PASSED,
    ])
    await run(inputRecord(0))
    expect(permits.closed).toBe('credentials')
    await clock.advance(5_000)
    expect([calls.map(({ atMs }) => atMs), attempts, permits.closed]).toEqual([[0, 5_000], [1], null])
  })
})

test('a record nobody wants any more resolves to null and does not call', async () => {
  const { run, result, calls } = settling([PASSED])
  await run(inputRecord(0), () => false)
  expect([result(), calls]).toEqual([null, []])
})

test('a record that is not wanted any more after a failed call does not call again', async () => {
  const { run, result, calls, clock } = settling([TIMEOUT])
  let wanted = true
  await run(inputRecord(0), () => wanted)
  wanted = false
  await clock.advance(200)
  expect([result(), calls.length]).toEqual([null, 1])
})

describe('the past of a record', () => {
  const headers = historyHeaders({
    attempts: 4,
    firstSeenMs: 1_000,
    source: { topic: 'elsewhere', partition: 7, offset: 99n },
    redrives: 0,
  })

  test('is believed on a retry topic', async () => {
    const { run, attempts, metrics } = settling([PASSED])
    await run(inputRecord(0, { topic: 'retry', headers }))
    expect([attempts, metrics.of('permitGranted')[0]?.[0]]).toEqual([[5], 'deferred'])
  })

  test('is not believed on the input topic, where anybody may write', async () => {
    const { run, attempts, metrics } = settling([PASSED])
    await run(inputRecord(0, { headers }))
    expect([attempts, metrics.of('permitGranted')[0]?.[0]]).toEqual([[1], 'fresh'])
  })

  test('puts it behind all others when it was put back from the dead letters, on every topic', async () => {
    const redriven = { 'checkresult-redrives': Buffer.from('1') }
    for (const topic of ['in', 'retry']) {
      const { run, metrics } = settling([PASSED])
      await run(inputRecord(0, { topic, headers: { ...headers, ...redriven } }))
      expect(metrics.of('permitGranted')[0]?.[0]).toBe('redriven')
    }
  })

  test('goes on with its retry copies and its next dead letter', async () => {
    const redriven = { 'checkresult-redrives': Buffer.from('2') }
    for (const code of ['ProcessNotCompleted', 'TransactionIdInvalid']) {
      const { run, result } = settling([refused(404, code)])
      await run(inputRecord(0, { headers: redriven }))
      expect(header(result(), 'checkresult-redrives')).toBe('2')
    }
  })

  test('ends it when it is too old', async () => {
    const { run, result } = settling([refused(404, 'ProcessNotCompleted')])
    await run(inputRecord(0, { topic: 'retry', headers }))
    expect([came(result()), header(result(), 'checkresult-reason')]).toEqual([
      [['dead'], 'dead-letter'],
      'not-completed',
    ])
    expect(header(result(), '__connect.errors.offset')).toBe('99')
  })
})

test('each call is counted by its code and its outcome', async () => {
  const { run, metrics, clock } = settling([TIMEOUT, refused(400, 'Throttling'), PASSED])
  await run(inputRecord(0))
  await clock.advance(10_000)
  expect(metrics.of('called')).toEqual([
    [{ code: 'timeout', outcome: 'unavailable', seconds: 0 }],
    [{ code: 'Throttling', outcome: 'throttled', seconds: 0 }],
    [{ code: 'Success', outcome: 'settled', seconds: 0 }],
  ])
})

describe('a transaction seen lately on the partition', () => {
  test('costs no call and has no output, and says that it was a repeat', async () => {
    const { run, result, calls } = settling([PASSED])
    await run(inputRecord(0))
    await run(inputRecord(1))
    expect([result()?.outputs, result()?.counts, calls.length]).toEqual([[], { kind: 'duplicate' }, 1])
  })

  test('is asked for again when a producer or an operator wants it so', async () => {
    const { run, result, calls } = settling([PASSED])
    await run(inputRecord(0))
    await run(inputRecord(1, { headers: { 'checkresult-force': Buffer.from('1') } }))
    expect([came(result()), calls.length]).toEqual([[['result'], 'result'], 2])
  })

  test('is asked for again when it comes from a retry topic', async () => {
    const { run, result, calls } = settling([refused(404, 'ProcessNotCompleted'), PASSED])
    await run(inputRecord(0))
    await run(inputRecord(7, { topic: 'retry' }))
    expect([came(result()), calls.length]).toEqual([[['result'], 'result'], 2])
  })

  test('is asked for again when the one before became a dead letter', async () => {
    const { run, result, calls } = settling([refused(400, 'TransactionIdInvalid'), PASSED])
    await run(inputRecord(0))
    await run(inputRecord(1))
    expect([came(result()), calls.length]).toEqual([[['result'], 'result'], 2])
  })
})

describe('the time all calls of a record have together', () => {
  test('is what the first of them has, and the next only the rest', async () => {
    const { run, calls, clock } = settling([TIMEOUT, PASSED], undefined, 3_000)
    await run(inputRecord(0))
    await clock.advance(10_000)
    expect(calls.map(({ withinMs }) => withinMs)).toEqual([8_000, 8_000 - 3_000 - 200])
  })

  test('leaves no room for another call after one that took all of it', async () => {
    const { run, result, calls, clock } = settling([TIMEOUT], undefined, 7_500)
    await run(inputRecord(0))
    await clock.advance(10_000)
    expect([came(result()), calls.length]).toEqual([[['retry'], 'deferred'], 1])
  })
})

describe('while too many records would become dead letters', () => {
  test('they wait for the brake, and are dropped when nobody wants them any more', async () => {
    const { run, result, brake } = settling([], {
      kind: 'undecodable',
      code: 'tombstone',
      message: 'No value.',
    })
    let ended = 0
    while (brake.deadLetter('rejected', () => true) === true) ended += 1
    let wanted = true
    await run(inputRecord(0), () => wanted)
    expect([ended, result()]).toEqual([50, undefined])
    wanted = false
    brake.sweep()
    await rest()
    expect(result()).toBeNull()
  })
})
