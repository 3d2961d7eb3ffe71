/** `processRecord` with fakes for everything it uses. The API answers are given in order. */
import type { CheckAnswer, Reply } from '../../src/core/calls/answer.ts'
import type { ForeignRecords } from '../../src/core/records/foreign-records.ts'
import { RecentTransactions } from '../../src/core/records/recent-transactions.ts'
import type { VerificationCompleted } from '../../src/core/records/schema-types.ts'
import { UNLIMITED } from '../../src/core/quota/token-bucket.ts'
import { InputNotices } from '../../src/pipeline/record/input-notices.ts'
import { Outputs, type ProcessedRecord } from '../../src/pipeline/record/outputs.ts'
import { PermitQueue } from '../../src/pipeline/calls/permit-queue.ts'
import { createProcessRecord, type RecordContext } from '../../src/pipeline/record/process-record.ts'
import type { Decoded, InputRecord } from '../../src/ports.ts'
import { answerWith } from './answers.ts'
import { FakeClock, flushPromises as rest } from './fake-clock.ts'
import { fakeLog, fakeMetrics } from './fakes.ts'
import { recordingLog } from './recording-log.ts'

export const EVENT: VerificationCompleted = {
  transactionId: 't1',
  merchantBizId: 'b1',
  productCode: 'ID_OCR',
  docType: '00000008',
  completedAt: 1,
  passed: null,
  subCode: null,
}
const ANSWER: CheckAnswer = answerWith({ requestId: 'r' })
export const PASSED: Reply & { kind: 'answer' } = {
  kind: 'answer',
  status: 200,
  code: 'Success',
  requestId: 'r',
  retryAfterMs: null,
  answer: ANSWER,
}
export const TIMEOUT: Reply = {
  kind: 'no-answer',
  failure: 'timeout',
  status: null,
  retryAfterMs: null,
}

export function refused(status: number, code: string, retryAfterMs: number | null = null): Reply {
  return { ...PASSED, status, code, retryAfterMs, answer: null }
}

/** Answers in order. Null means that no call is made. The last answer repeats. */
export function processing(
  replies: readonly (Reply | null)[],
  decoded: Decoded | Promise<Decoded | null> = { kind: 'event', event: EVENT },
  { callMs = 0, foreignRecords = 'skip' }: { callMs?: number; foreignRecords?: ForeignRecords } = {},
) {
  const clock = new FakeClock()
  const metrics = fakeMetrics()
  const log = recordingLog(true)
  const permits = new PermitQueue({ limiter: UNLIMITED, maxInFlight: 10, clock, metrics, log: fakeLog() })
  const recent = new RecentTransactions(60_000)
  const calls: { atMs: number; inFlight: number; withinMs: number }[] = []
  const attempts: number[] = []
  const outputs = new Outputs({
    topics: { input: 'in', result: 'result', deadLetter: 'dead' },
    retryTopics: [{ topic: 'retry', delayMs: 10_000 }],
    maxAgeMs: 3_600_000,
    foreignRecords,
    pii: 'include',
    service: 'checkresult-stream/0',
    encode: (result) => {
      attempts.push(result.attempts)
      return Buffer.from(result.transactionId)
    },
    partitions: () => 1,
    clock,
  })
  const processRecord = createProcessRecord({
    inputTopic: 'in',
    decode: () => decoded,
    check: async (_, withinMs) => {
      calls.push({ atMs: clock.monotonicMs(), inFlight: permits.inFlight, withinMs })
      const reply = calls.length > replies.length ? replies.at(-1) : replies[calls.length - 1]
      if (callMs > 0) await new Promise<void>((resolve) => void clock.after(callMs, resolve))
      return reply === undefined ? PASSED : reply
    },
    timeoutMs: 8_000,
    permits,
    outputs,
    recent,
    notices: new InputNotices({ foreignRecords, clock, metrics, log }),
    clock,
    metrics,
    log,
  })
  let result: ProcessedRecord | null | undefined
  const run = async (record: InputRecord, isWanted = (): boolean => true): Promise<void> => {
    const context: RecordContext = { partitionName: 'input:0', isWanted, onCallStarting: () => undefined }
    void processRecord(record, context).then((processed) => (result = processed))
    await rest()
  }
  return { run, clock, metrics, log, recent, permits, calls, attempts, result: () => result }
}

/** Topics of the outputs, and the counts. */
export function outcomeOf(processed: ProcessedRecord | null | undefined): unknown {
  return processed && [processed.outputs.map(({ topic }) => topic), processed.counts.kind]
}
