/**
 * One record from its bytes to its outputs: decode, acquire, check, classify, normalise, encode. Called by the lane for
 * each record it starts; the lane commits what comes back. Nothing is written here, and nothing is counted as an outcome:
 * a record may be settled again after a crash, its transaction commits once.
 *
 * Resolves to null when the record is no longer wanted (its lane is gone); a rejection is a defect.
 */
import type { Reply } from '../core/answer.ts'
import { classify, type Outcome } from '../core/classify.ts'
import {
  deadLetterHeaders,
  retryHeaders,
  tracingHeaders,
  type DeadLetterCause,
  type DeadLetterReason,
} from '../core/dead-letter.ts'
import { deferral, type DeferReason, type RetryTopic } from '../core/defer.ts'
import type { CallResult } from '../core/gate.ts'
import { readHistory, type Headers, type History } from '../core/history.ts'
import { normalize, type PiiMode } from '../core/normalize/normalize.ts'
import { settledFacts, type SettledFacts } from '../core/normalize/settled-facts.ts'
import type { VerificationCompleted } from '../core/schema-types.ts'
import type {
  CheckResult,
  Clock,
  DecodeEvent,
  EncodeResult,
  InputRecord,
  Metrics,
  OutputRecord,
  PartitionCounts,
  Undecodable,
} from '../ports.ts'
import { outputPartition } from '../core/partition.ts'
import type { PermitQueue } from './permit-queue.ts'

/** The outputs of one record and what its committed transaction counts as. */
export interface Settled {
  readonly outputs: readonly OutputRecord[]
  readonly counts: Counts
}

export type Counts =
  | { readonly kind: 'result'; readonly facts: SettledFacts; readonly unreadable: boolean }
  | { readonly kind: 'deferred'; readonly reason: DeferReason }
  | { readonly kind: 'dead-letter'; readonly reason: DeadLetterReason }

export type Settle = (record: InputRecord, life: RecordLife) => Promise<Settled | null>

/** The record's lane, as far as the record cares. */
export interface RecordLife {
  readonly wanted: () => boolean
  /** A call is starting: an output will come. */
  readonly calling: () => void
}

export interface SettleOptions {
  readonly topics: { readonly input: string; readonly result: string; readonly deadLetter: string }
  readonly retryTopics: readonly RetryTopic[]
  readonly maxAgeMs: number
  readonly pii: PiiMode
  /** Name and version, for the dead letter's headers. */
  readonly service: string
  readonly decode: DecodeEvent
  readonly encode: EncodeResult
  readonly check: CheckResult
  readonly permits: PermitQueue
  readonly partitions: PartitionCounts
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'called'>
}

/** Further calls right after one that brought nothing, before the record goes to a retry topic. */
const QUICK_RETRY_DELAYS_MS = [200, 1_000] as const

export function createSettle(options: SettleOptions): Settle {
  const { clock, decode } = options

  return async function settle(record, life) {
    const history = historyOf(record, clock.epochMs())
    const pending = decode(record.value)
    const decoded = pending instanceof Promise ? await pending : pending
    if (decoded.kind === 'undecodable')
      return deadLetter(record, history, undecodable(decoded.code, decoded.message))
    return callUntilSettled({ record, event: decoded.event, life, history })
  }

  async function callUntilSettled(work: Work): Promise<Settled | null> {
    let { history } = work
    let failures = 0
    for (;;) {
      const outcome = await callOnce(work, history)
      if (outcome === null) return null
      // The account's fault or the quota's, not the record's: it goes again and uses up no attempt.
      if (outcome.kind === 'throttled' || outcome.kind === 'blocked') continue
      history = { ...history, attempts: history.attempts + 1 }
      const delayMs = outcome.kind === 'unavailable' ? QUICK_RETRY_DELAYS_MS[failures] : undefined
      if (delayMs === undefined) return output({ ...work, history }, outcome)
      failures += 1
      await elapsed(delayMs)
    }
  }

  /** One call with its own permit; null when the record is not wanted any more. */
  async function callOnce({ event, life, record }: Work, history: History): Promise<Outcome | null> {
    const priority = record.topic === options.topics.input ? 'fresh' : 'deferred'
    const permit = await options.permits.acquire(history.attempts > 0 ? 'deferred' : priority, life.wanted)
    if (permit === null) return null
    life.calling()
    const startedMs = clock.monotonicMs()
    const reply = await options.check(event)
    const outcome = classify(reply)
    options.metrics.called({
      code: replyCode(reply),
      outcome: outcome.kind,
      seconds: (clock.monotonicMs() - startedMs) / 1000,
    })
    permit.release(callResult(outcome), outcome.kind === 'throttled' ? outcome.retryAfterMs : null)
    return outcome
  }

  function output(work: Work, outcome: Exclude<Outcome, { kind: 'throttled' | 'blocked' }>): Settled {
    switch (outcome.kind) {
      case 'settled':
        return result(work, outcome)
      case 'deferred':
        return later(work, outcome.reason, outcome.code)
      case 'unavailable':
        return later(work, 'unavailable', outcome.code)
      case 'rejected':
        return deadLetter(work.record, work.history, rejected(outcome.reason, outcome.code))
    }
  }

  function result({ record, event, history }: Work, { answer }: Outcome & { kind: 'settled' }): Settled {
    const normalized = normalize(answer, {
      event,
      attempts: history.attempts,
      checkedAtMs: clock.epochMs(),
      source: history.source,
      pii: options.pii,
    })
    const value = options.encode(normalized)
    return {
      outputs: [outputTo(options.topics.result, record, value, tracingHeaders(record.headers))],
      counts: {
        kind: 'result',
        facts: settledFacts(normalized, event),
        unreadable: answer.document === 'unreadable',
      },
    }
  }

  function later({ record, history }: Work, reason: DeferReason, code: string): Settled {
    const next = deferral({
      topic: record.topic,
      retryTopics: options.retryTopics,
      firstSeenMs: history.firstSeenMs,
      nowMs: clock.epochMs(),
      maxAgeMs: options.maxAgeMs,
    })
    if (next.kind === 'too-old') return deadLetter(record, history, tooOld(reason, code))
    return {
      outputs: [outputTo(next.topic, record, record.value, retryHeaders(record.headers, history))],
      counts: { kind: 'deferred', reason },
    }
  }

  function deadLetter(record: InputRecord, history: History, cause: DeadLetterCause): Settled {
    const headers = deadLetterHeaders(record.headers, {
      cause,
      history,
      failedAtMs: clock.epochMs(),
      service: options.service,
    })
    return {
      outputs: [outputTo(options.topics.deadLetter, record, record.value, headers)],
      counts: { kind: 'dead-letter', reason: cause.reason },
    }
  }

  function outputTo(
    topic: string,
    record: InputRecord,
    value: Buffer | null,
    headers: Headers,
  ): OutputRecord {
    const count = options.partitions(topic)
    const same = options.partitions(record.topic) === count
    return {
      topic,
      partition: same ? record.partition : outputPartition(record.key, count),
      key: record.key,
      value,
      headers,
    }
  }

  function historyOf(record: InputRecord, nowMs: number): History {
    const { topic, partition, offset } = record
    const fresh: History = { attempts: 0, firstSeenMs: nowMs, source: { topic, partition, offset } }
    return topic === options.topics.input ? fresh : readHistory(record.headers, fresh)
  }

  function elapsed(delayMs: number): Promise<void> {
    return new Promise((resolve) => void clock.after(delayMs, resolve))
  }
}

interface Work {
  readonly record: InputRecord
  readonly event: VerificationCompleted
  readonly life: RecordLife
  readonly history: History
}

function replyCode(reply: Reply): string {
  return reply.kind === 'answer' ? reply.code : reply.failure
}

function callResult(outcome: Outcome): CallResult {
  switch (outcome.kind) {
    case 'blocked':
      return { kind: 'blocked', reason: outcome.gate }
    case 'unavailable':
    case 'throttled':
      return { kind: outcome.kind }
    default:
      return { kind: 'answered' }
  }
}

function undecodable(code: Undecodable, message: string): DeadLetterCause {
  return { reason: 'undecodable', code, stage: 'decode', message }
}

function rejected(reason: DeadLetterReason, code: string): DeadLetterCause {
  return { reason, code, stage: 'classify', message: REJECTED[reason] }
}

function tooOld(reason: DeferReason, code: string): DeadLetterCause {
  const gone = reason === 'unavailable' ? 'unavailable' : 'not-completed'
  return { reason: gone, code, stage: 'defer', message: REJECTED[gone] }
}

const REJECTED: Readonly<Record<DeadLetterReason, string>> = {
  undecodable: 'The bytes are no VerificationCompleted event.',
  rejected: 'CheckResult refuses this transaction for good.',
  'unknown-code': 'CheckResult answered with a code this version does not know.',
  'unreadable-answer': 'CheckResult answered, but the verdict cannot be read.',
  'not-completed': 'The verification was not completed within DEFER_MAX_AGE.',
  unavailable: 'CheckResult did not answer within DEFER_MAX_AGE.',
}
