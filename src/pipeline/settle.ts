/**
 * One record from its bytes to its outputs: decode, acquire, check, classify, normalize, encode. Called by the lane for
 * each record it starts; the lane commits what comes back. Nothing is written here, and nothing is counted as an outcome:
 * a record may be settled again after a crash, its transaction commits once.
 *
 * Resolves to null when the record is no longer wanted (its lane is gone); a rejection is a defect.
 */
import type { Reply } from '../core/answer.ts'
import { classify, type Outcome } from '../core/classify.ts'
import { FORCE_HEADER, type DeadLetterCause, type DeadLetterReason } from '../core/dead-letter.ts'
import type { CallResult } from '../core/gate.ts'
import { hasHeader } from '../core/headers.ts'
import type { Place, RecentTransactions } from '../core/recent-transactions.ts'
import { RefusedRecord, type Blame } from '../core/refusals.ts'
import type { CheckResult, Clock, DecodeEvent, InputRecord, Metrics, Priority } from '../ports.ts'
import { incompleteCause } from './incomplete-record.ts'
import type { InputNotices, SetAsideReason } from './input-notices.ts'
import { DUPLICATE, type Counts, type Outputs, type Settled, type Work } from './outputs.ts'
import type { PermitQueue } from './permit-queue.ts'
import { recordHistory } from './record-history.ts'

export type Settle = (record: InputRecord, life: RecordLife) => Promise<Settled | null>

/** The record's lane, as far as the record cares. */
export interface RecordLife {
  /** Its partition, by a name. */
  readonly source: string
  readonly wanted: () => boolean
  /** A call is starting: an output will come. */
  readonly calling: () => void
}

export interface SettleOptions {
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
type Final =
  | Exclude<Outcome, Refused>
  /** Refused while others are answered. */
  | { readonly kind: 'set-aside'; readonly reason: SetAsideReason; readonly code: string }
/** Refused, maybe for a reason of the account's: another call, which uses up no attempt. */
interface Again {
  readonly kind: 'again'
  readonly delayMs: number
}

/** Further calls right after one that brought nothing, before the record goes to a retry topic. */
const QUICK_RETRY_DELAYS_MS = [200, 1_000] as const
/** How long a record waits that is refused while others may be answered: as the API says, but it holds up its partition. */
const REFUSED_DELAY_MS = { usual: 1_000, max: 2_000 } as const
/** With less time than this another call would be cut off before its answer could come. */
const LEAST_CALL_MS = 500

export function createSettle(options: SettleOptions): Settle {
  return async (record, life) => {
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
    if (!mayRepeat(work)) return callUntilSettled(options, work, { life, place: null })
    const nowMs = options.clock.monotonicMs()
    const place = options.recent.begin(history.source.partition, event.transactionId, life, nowMs)
    return place === null ? DUPLICATE : callUntilSettled(options, work, { life, place })
  }
}

/** A callback that comes twice is not worth a second call; what an operator sends again on purpose is. */
function mayRepeat({ record, history }: Work): boolean {
  return history.redrives === 0 && !hasHeader(record.headers, FORCE_HEADER)
}

/** What holds while a record is called for: `place` is where it stands for its transaction, null where it does not. */
interface Standing {
  readonly life: RecordLife
  readonly place: Place | null
}

/**
 * Each call with its own permit; null when the record is not wanted any more. The only function of a record that is suspended
 * while it waits and calls: hundreds of records are at any time, and each further one costs half a kilobyte of all of them.
 */
async function callUntilSettled(
  options: SettleOptions,
  work: Work,
  { life, place }: Standing,
): Promise<Settled | null> {
  const { timeoutMs, permits, check, clock } = options
  const priority = priorityOf(work, options)
  let attempts = work.history.attempts
  let failures = 0
  let leftMs = timeoutMs
  let refused: RefusedRecord | null = null
  for (;;) {
    const permit = await permits.acquire(priority, life.source, life.wanted, refused !== null)
    if (permit === null) return null
    life.calling()
    const startedMs = clock.monotonicMs()
    const reply = await check(work.event, leftMs, permit)
    if (reply === null) {
      permit.release({ kind: 'unsent' })
      continue
    }
    const tookMs = clock.monotonicMs() - startedMs
    const outcome = classify(reply)
    called(options, { outcome, reply, tookMs })
    let final: Final
    if (outcome.kind === 'throttled' || outcome.kind === 'blocked') {
      refused ??= new RefusedRecord()
      const next = afterRefusal(outcome, permit.release(callResult(outcome), refused))
      if (next.kind === 'again') {
        if (next.delayMs > 0) await after(clock, next.delayMs)
        continue
      }
      final = next
      if (final.kind === 'set-aside') options.notices.setAside(work.record, final)
    } else {
      permit.release(callResult(outcome))
      final = outcome
    }
    attempts += 1
    leftMs -= tookMs
    const delayMs = quickRetryMs(final, failures)
    if (delayMs === null || leftMs - delayMs < LEAST_CALL_MS) {
      const history = { ...work.history, attempts }
      return remembered(options.recent, place, outputOf(options.outputs, { ...work, history }, final))
    }
    failures += 1
    leftMs -= delayMs
    await after(clock, delayMs)
  }
}

/** Only a record with a result stands for its transaction any longer. */
function remembered(recent: RecentTransactions, place: Place | null, settled: Settled): Settled {
  if (place === null) return settled
  if (settled.counts.kind !== 'result') {
    recent.forget(place)
    return settled
  }
  // What is committed may be a dead letter in place of a result that the brokers refuse.
  const onCommitted = ({ kind }: Counts): void =>
    kind === 'result' ? recent.committed(place) : recent.forget(place)
  return { ...settled, onCommitted }
}

function after(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.after(delayMs, resolve))
}

/** Milliseconds until another call right away, no sooner than the API asked for; null if the record has had its calls. */
function quickRetryMs(outcome: Final, failures: number): number | null {
  const delayMs = outcome.kind === 'unavailable' ? QUICK_RETRY_DELAYS_MS[failures] : undefined
  if (delayMs === undefined || outcome.kind !== 'unavailable') return null
  return Math.max(delayMs, outcome.retryAfterMs ?? 0)
}

/** The account's refusals make the record wait with all others, its own put it on a retry topic. */
function afterRefusal(outcome: Refused, blame: Blame): Final | Again {
  const { kind, code } = outcome
  switch (blame) {
    case 'account':
      return { kind: 'again', delayMs: 0 }
    case 'undecided': {
      const hintMs = kind === 'throttled' ? outcome.retryAfterMs : null
      const { usual, max } = REFUSED_DELAY_MS
      return { kind: 'again', delayMs: Math.min(max, Math.max(usual, hintMs ?? 0)) }
    }
    case 'record':
      return { kind: 'set-aside', reason: reasonOf(outcome), code }
  }
}

function reasonOf(outcome: Refused): SetAsideReason {
  if (outcome.kind === 'throttled') return 'throttled'
  return outcome.gate === 'refused' ? 'unknown-code' : 'refused'
}

/** What an operator puts back waits behind what customers wait for, on its way through the retry topics too. */
function priorityOf({ record, history }: Work, { inputTopic }: SettleOptions): Priority {
  if (history.redrives > 0) return 'redriven'
  return record.topic === inputTopic ? 'fresh' : 'deferred'
}

function called(
  { metrics }: SettleOptions,
  { outcome, reply, tookMs }: { outcome: Outcome; reply: Reply; tookMs: number },
): void {
  metrics.called({ code: replyCode(reply), outcome: outcome.kind, seconds: tookMs / 1000 })
  if (outcome.kind === 'throttled') metrics.wastedCall('throttled')
}

function outputOf(outputs: Outputs, work: Work, outcome: Final): Settled {
  switch (outcome.kind) {
    case 'settled':
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
      return { kind: 'blocked', reason: outcome.gate, code: outcome.code }
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
    message: REJECTED[reason] ?? 'CheckResult refuses this transaction.',
  }
}

const REJECTED: Readonly<Partial<Record<DeadLetterReason, string>>> = {
  rejected: 'CheckResult refuses this transaction for good.',
  'unknown-code': 'CheckResult answered with a code this version does not know.',
  'unreadable-answer': 'CheckResult answered, but the verdict cannot be read.',
}
