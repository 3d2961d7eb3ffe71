/**
 * Logs what producers of the input topic should know: records that are not events, events whose key is not their
 * transactionId, and events that CheckResult rejects while it answers others. Each kind is logged once per hour at
 * most, with the position of the first record. The metrics count all of them.
 */
import type { DeferReason } from '../../core/records/defer.ts'
import type { ForeignRecords } from '../../core/records/foreign-records.ts'
import type { VerificationCompleted } from '../../core/records/schema-types.ts'
import type { Clock, Decoded, ForeignKind, InputRecord, Log, Metrics } from '../../ports.ts'

type Notice = ForeignKind | 'unkeyed' | SetAsideReason
export type SetAsideReason = Extract<DeferReason, 'refused' | 'unknown-code' | 'throttled'>

export interface InputNoticesOptions {
  /** How records that are not events are treated, for the log line. */
  readonly foreignRecords: ForeignRecords
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly metrics: Pick<Metrics, 'unkeyed'>
  readonly log: Log
}

const REPEAT_AFTER_MS = 60 * 60 * 1000

const NEXT = {
  skip: 'Such records are skipped and counted in checkresult_foreign_records_total. Set KAFKA_FOREIGN_RECORDS=dead-letter to keep them.',
  'dead-letter': 'Such records become dead letters.',
} as const

export class InputNotices {
  readonly #options: InputNoticesOptions
  readonly #loggedMs = new Map<Notice, number>()

  constructor(options: InputNoticesOptions) {
    this.#options = options
  }

  foreign(record: InputRecord, { foreign, message }: Extract<Decoded, { kind: 'foreign' }>): void {
    if (!this.#isDue(foreign)) return
    const { log, foreignRecords } = this.#options
    log.warn(
      `A record on the input topic is not an event: ${message} ${NEXT[foreignRecords]} Check what else writes to this topic.`,
      { ...position(record), reason: foreign },
    )
  }

  /**
   * A serializer may wrap the key. A key that contains the transactionId keeps the events of a transaction together
   * just as well.
   */
  event(record: InputRecord, { transactionId }: Pick<VerificationCompleted, 'transactionId'>): void {
    if (record.key?.includes(transactionId) === true) return
    const { metrics, log } = this.#options
    metrics.unkeyed()
    if (!this.#isDue('unkeyed')) return
    log.warn(
      "The key of an event is not its transactionId. The service processes the event, but makes a second call if the event is repeated on another partition. Set the producer's key to the transactionId.",
      position(record),
    )
  }

  setAside(record: InputRecord, { reason, code }: { reason: SetAsideReason; code: string }): void {
    if (!this.#isDue(reason)) return
    this.#options.log.warn(
      'CheckResult rejects an event while it answers others. The event moves through the retry topics and becomes a dead letter after DEFER_MAX_AGE. ' +
        "Look up the code in the vendor's documentation.",
      { ...position(record), reason, code },
    )
  }

  #isDue(notice: Notice): boolean {
    const nowMs = this.#options.clock.monotonicMs()
    const loggedMs = this.#loggedMs.get(notice)
    if (loggedMs !== undefined && nowMs - loggedMs < REPEAT_AFTER_MS) return false
    this.#loggedMs.set(notice, nowMs)
    return true
  }
}

function position({ topic, partition, offset }: InputRecord) {
  return { topic, partition, offset: String(offset) }
}
