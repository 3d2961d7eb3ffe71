/**
 * Creates the output records of a processed event (a result, a retry copy or a dead letter) and what they count as
 * after the commit. Writes nothing.
 */
import type { FinalAnswer } from '../../core/calls/answer.ts'
import {
  deadLetterHeaders,
  printableCode,
  retryHeaders,
  tracingHeaders,
  type DeadLetterCause,
  type DeadLetterReason,
} from '../../core/dead-letters/dead-letter.ts'
import { deferral, type DeferReason, type RetryTopic } from '../../core/records/defer.ts'
import type { ForeignRecords } from '../../core/records/foreign-records.ts'
import type { Headers } from '../../core/records/headers.ts'
import { readHistory, type History, type SourceCoordinates } from '../../core/records/history.ts'
import { leftOutHeader } from '../../core/dead-letters/left-out.ts'
import { normalize } from '../../core/normalize/normalize.ts'
import type { PiiMode } from '../../core/normalize/privacy.ts'
import { resultFacts, type ResultFacts } from '../../core/normalize/result-facts.ts'
import { partitionOfOutput } from '../../core/partitions/partition.ts'
import type { VerificationCompleted } from '../../core/records/schema-types.ts'
import type {
  Clock,
  Decoded,
  EncodeResult,
  Failure,
  ForeignKind,
  InputRecord,
  OutputRecord,
  PartitionCounts,
} from '../../ports.ts'
import { recordHistory } from './record-history.ts'
import { reducedDeadLetter } from './reduced-dead-letter.ts'

/** The outputs of one record, and what they count as after the commit. */
export interface ProcessedRecord {
  readonly outputs: readonly OutputRecord[]
  readonly counts: Counts
  /** Must be called with `counts` after the outputs and the offset are committed. */
  readonly onCommitted?: (counts: Counts) => void
}

export type Counts =
  | {
      readonly kind: 'result'
      readonly facts: ResultFacts
      readonly unreadable: boolean
      /** Names of OCR members that could not be kept. */
      readonly dropped: readonly string[]
      /** The number of calls. */
      readonly attempts: number
    }
  | { readonly kind: 'deferred'; readonly reason: DeferReason }
  | {
      readonly kind: 'dead-letter'
      readonly reason: DeadLetterReason
      readonly code: string
      /** The event's position on the input topic. */
      readonly source: SourceCoordinates
    }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'foreign'; readonly foreign: ForeignKind; readonly deadLettered: boolean }

/** Whether a call was made. Duplicates, undecodable records and records that are not events need none. */
export function wasCalled({ counts }: ProcessedRecord): boolean {
  return (
    counts.kind !== 'duplicate' &&
    counts.kind !== 'foreign' &&
    !(counts.kind === 'dead-letter' && counts.reason === 'undecodable')
  )
}

/** Another event of the partition had the same transaction id, so only the offset is committed. */
export const DUPLICATE: ProcessedRecord = { outputs: [], counts: { kind: 'duplicate' } }

/** A decoded record with its history. */
export interface DecodedRecord {
  readonly record: InputRecord
  readonly event: VerificationCompleted
  readonly history: History
}

export interface OutputOptions {
  readonly topics: { readonly input: string; readonly result: string; readonly deadLetter: string }
  readonly retryTopics: readonly RetryTopic[]
  readonly maxAgeMs: number
  readonly foreignRecords: ForeignRecords
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

  result({ record, event, history }: DecodedRecord, answer: FinalAnswer): ProcessedRecord {
    const { topics, pii, encode, partitions, clock } = this.#options
    const { attempts, source } = history
    const result = normalize(answer, { event, attempts, checkedAtMs: clock.epochMs(), source, pii })
    const key = Buffer.from(event.transactionId)
    return {
      outputs: [
        {
          topic: topics.result,
          partition: partitionOfOutput(source.partition, key, partitions(topics.result)),
          key,
          value: encode(result),
          headers: tracingHeaders(record.headers),
        },
      ],
      counts: {
        kind: 'result',
        facts: resultFacts(result, event),
        unreadable: answer.document === 'unreadable',
        dropped: answer.droppedMembers,
        attempts,
      },
    }
  }

  /** A copy in the next retry topic, or a dead letter if the event is too old. */
  defer({ record, history }: DecodedRecord, reason: DeferReason, code: string): ProcessedRecord {
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
      outputs: [
        this.#copyTo(next.topic, record, {
          partition: history.source.partition,
          headers: retryHeaders(record.headers, history),
        }),
      ],
      counts: { kind: 'deferred', reason },
    }
  }

  deadLetter(record: InputRecord, history: History, cause: DeadLetterCause): ProcessedRecord {
    return {
      outputs: [this.#deadLetterRecord(record, history, cause)],
      counts: {
        kind: 'dead-letter',
        reason: cause.reason,
        code: printableCode(cause.code),
        source: history.source,
      },
    }
  }

  /** A record that is not an event: skipped, or a dead letter that does not count towards the dead-letter limit. */
  foreign(record: InputRecord, history: History, { foreign, message }: Foreign): ProcessedRecord {
    const deadLettered = this.#options.foreignRecords === 'dead-letter'
    const cause = { reason: 'undecodable', code: foreign, stage: 'decode', message } as const
    return {
      outputs: deadLettered ? [this.#deadLetterRecord(record, history, cause)] : [],
      counts: { kind: 'foreign', foreign, deadLettered },
    }
  }

  /**
   * A replacement for outputs that can never be written: a dead letter for a result or a retry copy, a smaller one for
   * a dead letter. Null if no smaller one is possible.
   */
  replacement(
    record: InputRecord,
    { outputs, counts }: ProcessedRecord,
    failure: Failure,
  ): ProcessedRecord | null {
    const [output] = outputs
    if (output === undefined || counts.kind === 'duplicate') return null
    if (counts.kind === 'dead-letter' || counts.kind === 'foreign') {
      const reduced = reducedDeadLetter(output, failure)
      return reduced === null ? null : { outputs: [reduced], counts }
    }
    const { topics, clock } = this.#options
    const history = recordHistory(record, { inputTopic: topics.input, clock })
    const attempts =
      counts.kind === 'result' ? counts.attempts : readHistory(output.headers, history).attempts
    return this.deadLetter(record, { ...history, attempts }, unwritable(counts.kind, output, failure))
  }

  #deadLetterRecord(record: InputRecord, history: History, cause: DeadLetterCause): OutputRecord {
    const { topics, service, clock } = this.#options
    const failedAtMs = clock.epochMs()
    const leftOut = record.leftOut ?? []
    const headers = [
      ...deadLetterHeaders(record.headers, { cause, history, failedAtMs, service }),
      ...leftOut.map(leftOutHeader),
    ]
    return this.#copyTo(topics.deadLetter, record, { partition: history.source.partition, headers })
  }

  /** Copies the record's key and value. `partition` is the event's partition on the input topic. */
  #copyTo(topic: string, { key, value }: InputRecord, { partition, headers }: CopyFacts): OutputRecord {
    const count = this.#options.partitions(topic)
    return { topic, partition: partitionOfOutput(partition, key, count), key, value, headers }
  }
}

interface CopyFacts {
  readonly partition: number
  readonly headers: Headers
}

type Foreign = Omit<Extract<Decoded, { kind: 'foreign' }>, 'kind'>

function unwritable(
  kind: 'result' | 'deferred',
  { topic }: OutputRecord,
  { code }: Failure,
): DeadLetterCause {
  const what = kind === 'result' ? 'result' : 'retry copy'
  return {
    reason: 'unwritable',
    code,
    stage: 'write',
    message: `The brokers permanently reject the ${what} on topic ${topic}. Check max.message.bytes and the other settings of the topic.`,
  }
}

function tooOld(reason: DeferReason, code: string): DeadLetterCause {
  return { ...TOO_OLD[reason], code, stage: 'defer' }
}

const NOT_COMPLETED = {
  reason: 'not-completed',
  message: 'The verification was not completed within DEFER_MAX_AGE.',
} as const
const REFUSED = 'CheckResult rejected this transaction until DEFER_MAX_AGE while it answered others.'

const TOO_OLD: Readonly<Record<DeferReason, Pick<DeadLetterCause, 'reason' | 'message'>>> = {
  'not-completed': NOT_COMPLETED,
  pending: NOT_COMPLETED,
  unavailable: { reason: 'unavailable', message: 'CheckResult did not answer within DEFER_MAX_AGE.' },
  refused: { reason: 'refused', message: REFUSED },
  throttled: { reason: 'refused', message: REFUSED },
  'unknown-code': {
    reason: 'unknown-code',
    message: `${REFUSED} This version does not know the code.`,
  },
}

/** Replaces the rejected outputs of an entry. Returns false if no smaller output is possible. */
export function replaceRefused(
  entry: { readonly item: InputRecord; result: ProcessedRecord; passed: boolean },
  outputs: Pick<Outputs, 'replacement'>,
  failure: Failure,
): boolean {
  const before = entry.result
  const replacement = outputs.replacement(entry.item, before, failure)
  if (replacement === null) return false
  const { onCommitted } = before
  entry.result = onCommitted === undefined ? replacement : { ...replacement, onCommitted }
  // The new dead letter counts towards the dead-letter limit, so it must be checked.
  if (replacement.counts.kind !== before.counts.kind) entry.passed = false
  return true
}
