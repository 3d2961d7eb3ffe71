/**
 * The output records of a settled event: result, retry copy or dead letter, each with what it counts as once its
 * transaction has committed. Nothing is written here.
 */
import type { CheckAnswer } from '../core/answer.ts'
import {
  deadLetterHeaders,
  printableCode,
  retryHeaders,
  tracingHeaders,
  type DeadLetterCause,
  type DeadLetterReason,
} from '../core/dead-letter.ts'
import { deferral, type DeferReason, type RetryTopic } from '../core/defer.ts'
import type { Headers } from '../core/headers.ts'
import type { History, SourceCoordinates } from '../core/history.ts'
import { normalize } from '../core/normalize/normalize.ts'
import type { PiiMode } from '../core/normalize/privacy.ts'
import { settledFacts, type SettledFacts } from '../core/normalize/settled-facts.ts'
import { outputPartition } from '../core/partition.ts'
import type { VerificationCompleted } from '../core/schema-types.ts'
import type { Clock, EncodeResult, InputRecord, OutputRecord, PartitionCounts } from '../ports.ts'

/** The outputs of one record and what its committed transaction counts as. */
export interface Settled {
  readonly outputs: readonly OutputRecord[]
  readonly counts: Counts
}

export type Counts =
  | { readonly kind: 'result'; readonly facts: SettledFacts; readonly unreadable: boolean }
  | { readonly kind: 'deferred'; readonly reason: DeferReason }
  | {
      readonly kind: 'dead-letter'
      readonly reason: DeadLetterReason
      readonly code: string
      /** Where the event stood on the input topic. */
      readonly source: SourceCoordinates
    }
  | { readonly kind: 'duplicate' }

/** Whether there was a call for it: nothing is asked for what is no event, or a repeat. */
export function cameOfACall({ counts }: Settled): boolean {
  return counts.kind !== 'duplicate' && !(counts.kind === 'dead-letter' && counts.reason === 'undecodable')
}

/** An earlier event of the partition had the same transaction: nothing is written, the offset moves on. */
export const DUPLICATE: Settled = { outputs: [], counts: { kind: 'duplicate' } }

/** A decoded record on its way, with what is known of its past. */
export interface Work {
  readonly record: InputRecord
  readonly event: VerificationCompleted
  readonly history: History
}

export interface OutputOptions {
  readonly topics: { readonly input: string; readonly result: string; readonly deadLetter: string }
  readonly retryTopics: readonly RetryTopic[]
  readonly maxAgeMs: number
  readonly pii: PiiMode
  /** Name and version, for the dead letter's headers. */
  readonly service: string
  readonly encode: EncodeResult
  readonly partitions: PartitionCounts
  readonly clock: Pick<Clock, 'epochMs'>
}

export class Outputs {
  readonly #options: OutputOptions

  constructor(options: OutputOptions) {
    this.#options = options
  }

  result({ record, event, history }: Work, answer: CheckAnswer): Settled {
    const { topics, pii, encode, clock } = this.#options
    const { attempts, source } = history
    const result = normalize(answer, { event, attempts, checkedAtMs: clock.epochMs(), source, pii })
    return {
      outputs: [this.#outputTo(topics.result, record, encode(result), tracingHeaders(record.headers))],
      counts: {
        kind: 'result',
        facts: settledFacts(result, event),
        unreadable: answer.document === 'unreadable',
      },
    }
  }

  /** A copy in the next retry topic, or a dead letter when the event is too old for another round. */
  later({ record, history }: Work, reason: DeferReason, code: string): Settled {
    const { retryTopics, maxAgeMs, clock } = this.#options
    const next = deferral({
      topic: record.topic,
      retryTopics,
      firstSeenMs: history.firstSeenMs,
      nowMs: clock.epochMs(),
      maxAgeMs,
    })
    if (next.kind === 'too-old') return this.deadLetter(record, history, tooOld(reason, code))
    return {
      outputs: [this.#outputTo(next.topic, record, record.value, retryHeaders(record.headers, history))],
      counts: { kind: 'deferred', reason },
    }
  }

  deadLetter(record: InputRecord, history: History, cause: DeadLetterCause): Settled {
    const { topics, service, clock } = this.#options
    const headers = deadLetterHeaders(record.headers, {
      cause,
      history,
      failedAtMs: clock.epochMs(),
      service,
    })
    return {
      outputs: [this.#outputTo(topics.deadLetter, record, record.value, headers)],
      counts: {
        kind: 'dead-letter',
        reason: cause.reason,
        code: printableCode(cause.code),
        source: history.source,
      },
    }
  }

  /** To the partition of the same number when the topics are equally wide, so that order within a key is kept. */
  #outputTo(topic: string, record: InputRecord, value: Buffer | null, headers: Headers): OutputRecord {
    const { partitions } = this.#options
    const count = partitions(topic)
    const partition =
      partitions(record.topic) === count ? record.partition : outputPartition(record.key, count)
    return { topic, partition, key: record.key, value, headers }
  }
}

function tooOld(reason: DeferReason, code: string): DeadLetterCause {
  return reason === 'unavailable'
    ? { reason, code, stage: 'defer', message: 'CheckResult did not answer within DEFER_MAX_AGE.' }
    : {
        reason: 'not-completed',
        code,
        stage: 'defer',
        message: 'The verification was not completed within DEFER_MAX_AGE.',
      }
}
