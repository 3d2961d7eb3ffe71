/**
 * Processes one record: decode, acquire a permit, call, classify, normalize, encode. The lane calls it for each record
 * and commits the returned outputs. Nothing is written and no outcome is counted here, because a record may be
 * processed again after a crash, but its transaction commits only once.
 *
 * Resolves to null if the record is no longer wanted, because its lane was closed. A rejection is a defect.
 */
import type { Reply } from '../../core/calls/answer.ts'
import { classify, type Outcome } from '../../core/calls/classify.ts'
import {
  FORCE_HEADER,
  type DeadLetterCause,
  type DeadLetterReason,
} from '../../core/dead-letters/dead-letter.ts'
import { hasHeader } from '../../core/records/headers.ts'
import type { EntryId, RecentTransactions } from '../../core/records/recent-transactions.ts'
import { RefusedRecord, type Blame } from '../../core/calls/refusals.ts'
import type { CheckResult, Clock, DecodeEvent, InputRecord, Log, Metrics, Priority } from '../../ports.ts'
import { callEnded, callRefused, nextCall } from './debug-lines.ts'
import { incompleteCause } from './incomplete-record.ts'
import type { InputNotices, SetAsideReason } from './input-notices.ts'
import { DUPLICATE, type Counts, type Outputs, type ProcessedRecord, type DecodedRecord } from './outputs.ts'
import type { PermitQueue } from '../calls/permit-queue.ts'
import { recordHistory } from './record-history.ts'

export type ProcessRecord = (record: InputRecord, context: RecordContext) => Promise<ProcessedRecord | null>

/** The lane's side of processing a record. */
export interface RecordContext {
  /** Its partition, by a name. */
  readonly partitionName: string
  readonly isWanted: () => boolean
  /** A call is starting, so an output will follow. */
  readonly onCallStarting: () => void
}

export interface ProcessRecordOptions {
  readonly inputTopic: string
  readonly decode: DecodeEvent
  readonly check: CheckResult
  /** The total for all calls of a record, from the first byte sent, because the record delays its partition. */
  readonly timeoutMs: number
  readonly permits: PermitQueue
  readonly outputs: Outputs
  readonly recent: RecentTransactions
  readonly notices: InputNotices
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'called' | 'wastedCall'>
  readonly log: Pick<Log, 'debug'>
}

type Refused = Extract<Outcome, { kind: 'throttled' | 'blocked' }>
/** Rejected while others are answered. */
interface SetAside {
  readonly kind: 'set-aside'
  readonly reason: SetAsideReason
  readonly code: string
}
/** The final outcome of a record. */
type RecordOutcome = Exclude<Outcome, Refused> | SetAside
/** Rejected, possibly because of the account. The next call does not count as another attempt. */
interface RetryCall {
  readonly kind: 'retry'
  readonly delayMs: number
}

/** The delays before quick retries, which come before the retry topics. */
const QUICK_RETRY_DELAYS_MS = [200, 1_000] as const
/**
 * How long a rejected record waits while others may be answered. A retry hint of the API counts up to `max`, because
 * the record delays its partition.
 */
const REFUSED_DELAY_MS = { usual: 1_000, max: 2_000 } as const
/** With less time left, another call would be cut off before its answer. */
const MIN_CALL_MS = 500

export function createProcessRecord(options: ProcessRecordOptions): ProcessRecord {
  return async (record, context) => {
    const history = recordHistory(record, options)
    const incomplete = incompleteCause(record)
    if (incomplete !== null) return options.outputs.deadLetter(record, history, incomplete)
    const pending = options.decode(record.value, record.headers)
    const decoded = pending instanceof Promise ? await pending : pending
    if (decoded === null) return null
    if (decoded.kind === 'undecodable') {
      const { code, message } = decoded
      const cause = { reason: 'undecodable', code, stage: 'decode', message } as const
      return options.outputs.deadLetter(record, history, cause)
    }
    if (decoded.kind === 'foreign') {
      options.notices.foreign(record, decoded)
      return options.outputs.foreign(record, history, decoded)
    }
    const { event } = decoded
    if (record.topic === options.inputTopic) options.notices.event(record, event)
    let entryId: EntryId | null = null
    // Repeated callbacks are skipped, unless an operator repeats an event on purpose.
    if (history.redrives === 0 && !hasHeader(record.headers, FORCE_HEADER)) {
      const nowMs = options.clock.monotonicMs()
      entryId = options.recent.begin(history.source.partition, event.transactionId, context, nowMs)
      if (entryId === null) return DUPLICATE
    }
    return callUntilDone(options, { record, event, history, entryId }, context)
  }
}

interface RecordInProgress extends DecodedRecord {
  /** The record's entry among the recent transactions; null if it has none. */
  readonly entryId: EntryId | null
}

/**
 * Acquires a ticket for each call. Resolves to null if the record is no longer wanted. It is the only async function of
 * a record that waits, because hundreds of records wait at any time and another suspended function would cost half a
 * kilobyte each.
 */
async function callUntilDone(
  options: ProcessRecordOptions,
  work: RecordInProgress,
  context: RecordContext,
): Promise<ProcessedRecord | null> {
  const { timeoutMs, permits, check, clock } = options
  const priority = priorityOf(work, options)
  let attempts = work.history.attempts
  let failures = 0
  let leftMs = timeoutMs
  let refused: RefusedRecord | null = null
  for (;;) {
    const ticket = await permits.acquire(priority, context.partitionName, context.isWanted, refused !== null)
    if (ticket === null) return null
    context.onCallStarting()
    const startedMs = clock.monotonicMs()
    const reply = await check(work.event, leftMs, ticket)
    if (reply === null) {
      ticket.release({ kind: 'unsent' })
      continue
    }
    const tookMs = clock.monotonicMs() - startedMs
    const outcome = classify(reply)
    countCall(options, work.record, { outcome, reply, tookMs })
    let recordOutcome: RecordOutcome
    if (outcome.kind === 'throttled' || outcome.kind === 'blocked') {
      refused ??= new RefusedRecord()
      const blame = ticket.release(outcome, refused)
      const next = afterRefusal(outcome, blame)
      callRefused(options.log, work.record, { reason: blame, outcome: next.kind })
      if (next.kind === 'retry') {
        if (next.delayMs > 0) await delay(clock, next.delayMs)
        continue
      }
      options.notices.setAside(work.record, next)
      recordOutcome = next
    } else {
      ticket.release(outcome)
      recordOutcome = outcome
    }
    attempts += 1
    leftMs -= tookMs
    const delayMs = quickRetryMs(recordOutcome, failures, leftMs)
    nextCall(options.log, work.record, { outcome: recordOutcome.kind, attempts, delayMs })
    if (delayMs === null) {
      const history = { ...work.history, attempts }
      const processed = outputOf(options.outputs, { ...work, history }, recordOutcome)
      return rememberResult(options.recent, work.entryId, processed)
    }
    failures += 1
    leftMs -= delayMs
    await delay(clock, delayMs)
  }
}

/** After processing, only a record with a result still represents its transaction. */
function rememberResult(
  recent: RecentTransactions,
  entryId: EntryId | null,
  processed: ProcessedRecord,
): ProcessedRecord {
  if (entryId === null) return processed
  if (processed.counts.kind !== 'result') {
    recent.forget(entryId)
    return processed
  }
  // The committed output may be a dead letter, if the brokers rejected the result.
  const onCommitted = ({ kind }: Counts): void =>
    kind === 'result' ? recent.committed(entryId) : recent.forget(entryId)
  return { ...processed, onCommitted }
}

function delay(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.after(delayMs, resolve))
}

/** The delay before a quick retry, at least as long as the API asked for; null if there are no quick retries left. */
function quickRetryMs(outcome: RecordOutcome, failures: number, leftMs: number): number | null {
  const usualMs = outcome.kind === 'unavailable' ? QUICK_RETRY_DELAYS_MS[failures] : undefined
  if (usualMs === undefined || outcome.kind !== 'unavailable') return null
  const delayMs = Math.max(usualMs, outcome.retryAfterMs ?? 0)
  return leftMs - delayMs < MIN_CALL_MS ? null : delayMs
}

/**
 * If the account is rejected, the record waits with all others. If only the record is rejected, it goes to a retry
 * topic.
 */
function afterRefusal(outcome: Refused, blame: Blame): SetAside | RetryCall {
  const { kind, code } = outcome
  switch (blame) {
    case 'account':
      return { kind: 'retry', delayMs: 0 }
    case 'undecided': {
      const hintMs = kind === 'throttled' ? outcome.retryAfterMs : null
      const { usual, max } = REFUSED_DELAY_MS
      return { kind: 'retry', delayMs: Math.min(max, Math.max(usual, hintMs ?? 0)) }
    }
    case 'record':
      return { kind: 'set-aside', reason: reasonOf(outcome), code }
  }
}

function reasonOf(outcome: Refused): SetAsideReason {
  if (outcome.kind === 'throttled') return 'throttled'
  return outcome.reason === 'refused' ? 'unknown-code' : 'refused'
}

/** Redriven events have the lowest priority, on the retry topics too. */
function priorityOf({ record, history }: DecodedRecord, { inputTopic }: ProcessRecordOptions): Priority {
  if (history.redrives > 0) return 'redriven'
  return record.topic === inputTopic ? 'fresh' : 'deferred'
}

function countCall(
  { metrics, log }: ProcessRecordOptions,
  record: InputRecord,
  { outcome, reply, tookMs }: { outcome: Outcome; reply: Reply; tookMs: number },
): void {
  const code = replyCode(reply)
  metrics.called({ code, outcome: outcome.kind, seconds: tookMs / 1000 })
  if (outcome.kind === 'throttled') metrics.wastedCall('throttled')
  const reason = 'reason' in outcome ? outcome.reason : null
  callEnded(log, record, { code, outcome: outcome.kind, reason, durationMs: tookMs })
}

function outputOf(outputs: Outputs, work: DecodedRecord, outcome: RecordOutcome): ProcessedRecord {
  switch (outcome.kind) {
    case 'final':
      return outputs.result(work, outcome.answer)
    case 'deferred':
    case 'set-aside':
      return outputs.defer(work, outcome.reason, outcome.code)
    case 'unavailable':
      return outputs.defer(work, 'unavailable', outcome.code)
    case 'rejected':
      return outputs.deadLetter(work.record, work.history, rejected(outcome.reason, outcome.code))
  }
}

function replyCode(reply: Reply): string {
  return reply.kind === 'answer' ? reply.code : reply.failure
}

function rejected(reason: DeadLetterReason, code: string): DeadLetterCause {
  return {
    reason,
    code,
    stage: 'classify',
    message: REJECTED[reason] ?? 'CheckResult rejected this transaction.',
  }
}

const REJECTED: Readonly<Partial<Record<DeadLetterReason, string>>> = {
  rejected: 'CheckResult permanently rejected this transaction.',
  'unknown-code': 'CheckResult answered with a code that this version does not know.',
  'unreadable-answer': 'CheckResult answered, but the answer has no readable verdict.',
}
