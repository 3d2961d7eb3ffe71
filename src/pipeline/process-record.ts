/**
 * One record from its bytes to its outputs: decode, acquire, check, classify, normalize, encode. Called by the lane for
 * each record it starts; the lane commits what comes back. Nothing is written here, and nothing is counted as an outcome:
 * a record may be processed again after a crash, its transaction commits once.
 *
 * Resolves to null when the record is no longer wanted (its lane is gone); a rejection is a defect.
 */
import type { Reply } from '../core/answer.ts'
import { classify, type Outcome } from '../core/classify.ts'
import { FORCE_HEADER, type DeadLetterCause, type DeadLetterReason } from '../core/dead-letter.ts'
import type { CallResult } from '../core/circuit-breaker.ts'
import { hasHeader } from '../core/headers.ts'
import type { EntryId, RecentTransactions } from '../core/recent-transactions.ts'
import { RefusedRecord, type Blame } from '../core/refusals.ts'
import type { CheckResult, Clock, DecodeEvent, InputRecord, Metrics, Priority } from '../ports.ts'
import { incompleteCause } from './incomplete-record.ts'
import type { InputNotices, SetAsideReason } from './input-notices.ts'
import { DUPLICATE, type Counts, type Outputs, type ProcessedRecord, type Work } from './outputs.ts'
import type { PermitQueue } from './permit-queue.ts'
import { recordHistory } from './record-history.ts'

export type ProcessRecord = (record: InputRecord, context: RecordContext) => Promise<ProcessedRecord | null>

/** The record's lane, as far as the record cares. */
export interface RecordContext {
  /** Its partition, by a name. */
  readonly partitionName: string
  readonly isWanted: () => boolean
  /** A call is starting: an output will come. */
  readonly onCallStarting: () => void
}

export interface ProcessRecordOptions {
  readonly inputTopic: string
  readonly decode: DecodeEvent
  readonly check: CheckResult
  /** For all calls of a record together, from the first byte sent: it holds up its partition no longer. */
  readonly timeoutMs: number
  readonly permits: PermitQueue
  readonly outputs: Outputs
  readonly recent: RecentTransactions
  readonly notices: InputNotices
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'called' | 'wastedCall'>
}

type Refused = Extract<Outcome, { kind: 'throttled' | 'blocked' }>
/** What a record can come out with. */
type RecordOutcome =
  | Exclude<Outcome, Refused>
  /** Refused while others are answered. */
  | { readonly kind: 'set-aside'; readonly reason: SetAsideReason; readonly code: string }
/** Refused, maybe for a reason of the account's: another call, which uses up no attempt. */
interface RetryCall {
  readonly kind: 'retry'
  readonly delayMs: number
}

/** Further calls right after one that brought nothing, before the record goes to a retry topic. */
const QUICK_RETRY_DELAYS_MS = [200, 1_000] as const
/** How long a record waits that is refused while others may be answered: as the API says, but it holds up its partition. */
const REFUSED_DELAY_MS = { usual: 1_000, max: 2_000 } as const
/** With less time than this another call would be cut off before its answer could come. */
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
    const work: Work = { record, event, history }
    if (!mayRepeat(work)) return callUntilDone(options, work, { context, entryId: null })
    const nowMs = options.clock.monotonicMs()
    const entryId = options.recent.begin(history.source.partition, event.transactionId, context, nowMs)
    return entryId === null ? DUPLICATE : callUntilDone(options, work, { context, entryId })
  }
}

/** A callback that comes twice is not worth a second call; what an operator sends again on purpose is. */
function mayRepeat({ record, history }: Work): boolean {
  return history.redrives === 0 && !hasHeader(record.headers, FORCE_HEADER)
}

/** What holds while a record is called for: `entryId` is its entry among the recent transactions, null if it has none. */
interface CallScope {
  readonly context: RecordContext
  readonly entryId: EntryId | null
}

/**
 * Each call with its own permit; null when the record is not wanted any more. The only function of a record that is suspended
 * while it waits and calls: hundreds of records are at any time, and each further one costs half a kilobyte of all of them.
 */
async function callUntilDone(
  options: ProcessRecordOptions,
  work: Work,
  { context, entryId }: CallScope,
): Promise<ProcessedRecord | null> {
  const { timeoutMs, permits, check, clock } = options
  const priority = priorityOf(work, options)
  let attempts = work.history.attempts
  let failures = 0
  let leftMs = timeoutMs
  let refused: RefusedRecord | null = null
  for (;;) {
    const permit = await permits.acquire(priority, context.partitionName, context.isWanted, refused !== null)
    if (permit === null) return null
    context.onCallStarting()
    const startedMs = clock.monotonicMs()
    const reply = await check(work.event, leftMs, permit)
    if (reply === null) {
      permit.release({ kind: 'unsent' })
      continue
    }
    const tookMs = clock.monotonicMs() - startedMs
    const outcome = classify(reply)
    countCall(options, { outcome, reply, tookMs })
    let recordOutcome: RecordOutcome
    if (outcome.kind === 'throttled' || outcome.kind === 'blocked') {
      refused ??= new RefusedRecord()
      const next = afterRefusal(outcome, permit.release(callResult(outcome), refused))
      if (next.kind === 'retry') {
        if (next.delayMs > 0) await after(clock, next.delayMs)
        continue
      }
      recordOutcome = next
      if (recordOutcome.kind === 'set-aside') options.notices.setAside(work.record, recordOutcome)
    } else {
      permit.release(callResult(outcome))
      recordOutcome = outcome
    }
    attempts += 1
    leftMs -= tookMs
    const delayMs = quickRetryMs(recordOutcome, failures)
    if (delayMs === null || leftMs - delayMs < MIN_CALL_MS) {
      const history = { ...work.history, attempts }
      return rememberResult(
        options.recent,
        entryId,
        outputOf(options.outputs, { ...work, history }, recordOutcome),
      )
    }
    failures += 1
    leftMs -= delayMs
    await after(clock, delayMs)
  }
}

/** Only a record with a result stands for its transaction any longer. */
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
  // What is committed may be a dead letter in place of a result that the brokers refuse.
  const onCommitted = ({ kind }: Counts): void =>
    kind === 'result' ? recent.committed(entryId) : recent.forget(entryId)
  return { ...processed, onCommitted }
}

function after(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.after(delayMs, resolve))
}

/** Milliseconds until another call right away, no sooner than the API asked for; null if the record has had its calls. */
function quickRetryMs(outcome: RecordOutcome, failures: number): number | null {
  const delayMs = outcome.kind === 'unavailable' ? QUICK_RETRY_DELAYS_MS[failures] : undefined
  if (delayMs === undefined || outcome.kind !== 'unavailable') return null
  return Math.max(delayMs, outcome.retryAfterMs ?? 0)
}

/** The account's refusals make the record wait with all others, its own put it on a retry topic. */
function afterRefusal(outcome: Refused, blame: Blame): RecordOutcome | RetryCall {
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

/** What an operator puts back waits behind what customers wait for, on its way through the retry topics too. */
function priorityOf({ record, history }: Work, { inputTopic }: ProcessRecordOptions): Priority {
  if (history.redrives > 0) return 'redriven'
  return record.topic === inputTopic ? 'fresh' : 'deferred'
}

function countCall(
  { metrics }: ProcessRecordOptions,
  { outcome, reply, tookMs }: { outcome: Outcome; reply: Reply; tookMs: number },
): void {
  metrics.called({ code: replyCode(reply), outcome: outcome.kind, seconds: tookMs / 1000 })
  if (outcome.kind === 'throttled') metrics.wastedCall('throttled')
}

function outputOf(outputs: Outputs, work: Work, outcome: RecordOutcome): ProcessedRecord {
  switch (outcome.kind) {
    case 'final':
      return outputs.result(work, outcome.answer)
    case 'deferred':
    case 'set-aside':
      return outputs.later(work, outcome.reason, outcome.code)
    case 'unavailable':
      return outputs.later(work, 'unavailable', outcome.code)
    case 'rejected':
      return outputs.deadLetter(work.record, work.history, rejected(outcome.reason, outcome.code))
  }
}

function replyCode(reply: Reply): string {
  return reply.kind === 'answer' ? reply.code : reply.failure
}

function callResult(outcome: Outcome): CallResult {
  switch (outcome.kind) {
    case 'blocked':
      return { kind: 'blocked', reason: outcome.reason, code: outcome.code }
    case 'unavailable':
    case 'throttled':
      return { kind: outcome.kind, code: outcome.code, retryAfterMs: outcome.retryAfterMs }
    default:
      return { kind: 'answered' }
  }
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
