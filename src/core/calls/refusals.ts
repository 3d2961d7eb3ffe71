/**
 * Decides who caused a rejected call: the account (every record would be rejected) or the record (others are answered
 * in the meantime). Pure: compares the results of different records' calls.
 *
 *   blocked     The record, if it was rejected before, a call of another record that started later was answered, and it
 *               is rejected again. One such contradiction is enough, because a rejected account gets no answers at all.
 *   throttled   The record, if this happens repeatedly while more of the others' calls are answered than throttled. If
 *               others use the account too, any record is throttled now and then, so one contradiction is not enough.
 *
 * The account, if no call was answered recently, or if too many different records are rejected without an answer in
 * between. Otherwise the cause stays undecided: the record waits and retries while all others continue at their pace.
 */
export type Blame = 'account' | 'record' | 'undecided'

/** For this long, an answer proves that the account works. */
const EVIDENCE_MS = 10_000
/** This many different records rejected in a row mean that the account is rejected. */
const REFUSED_IN_A_ROW = 20
/** Fewer different records than this, rejected in a row, prove nothing about the account. */
const TOO_FEW_RECORDS = 3
const MIN_THROTTLED = 4

/** The rejections of one record. Used by {@link Evidence}. */
export class RefusedRecord {
  /** When it was last blocked. */
  blockedMs = Infinity
  timesThrottled = 0
  /** How often it was throttled while most others were answered. */
  throttledAlone = 0
  /** The totals of all records when this one was last throttled. */
  answered = Infinity
  throttled = 0
}

export class Evidence {
  /** The latest start time of an answered call. */
  #answeredMs = -Infinity
  #answered = 0
  #throttled = 0
  /** Records blocked since the last answer. */
  readonly #row = new Set<RefusedRecord>()
  #rowSinceMs = -Infinity
  #lastThrottled: RefusedRecord | null = null
  #lastThrottledMs = -Infinity

  /** Whether only a few different records were rejected, so that another one will probably be answered. */
  get isWeak(): boolean {
    return this.#row.size < TOO_FEW_RECORDS
  }

  /**
   * A call was answered, so the account works. If the call started before the rejections, it does not contradict them.
   */
  answeredCall(startedMs: number): void {
    this.#answered += 1
    this.#answeredMs = Math.max(this.#answeredMs, startedMs)
    if (startedMs > this.#rowSinceMs) this.#row.clear()
  }

  blocked(record: RefusedRecord, nowMs: number): Blame {
    const isContradicted = this.#answeredMs > record.blockedMs
    record.blockedMs = nowMs
    if (this.#row.size === 0) this.#rowSinceMs = nowMs
    this.#row.add(record)
    if (isContradicted) return 'record'
    return this.#isStale(nowMs) || this.#row.size >= REFUSED_IN_A_ROW ? 'account' : 'undecided'
  }

  throttled(record: RefusedRecord, nowMs: number): Blame {
    const answered = this.#answered - record.answered
    const throttled = this.#throttled - record.throttled
    if (answered > throttled) record.throttledAlone += 1
    record.timesThrottled += 1
    // Otherwise a few records that are always throttled would outweigh all answered ones and never be identified.
    if (record.timesThrottled <= MIN_THROTTLED) this.#throttled += 1
    record.answered = this.#answered
    record.throttled = this.#throttled
    if (record.throttledAlone >= MIN_THROTTLED - 1) return 'record'
    // Others were answered since the last time, so only records that are throttled for the first time count against the
    // account.
    if (record.throttledAlone > 0) return 'undecided'
    const isShared = this.#lastThrottled !== record && nowMs - this.#lastThrottledMs < EVIDENCE_MS
    this.#lastThrottled = record
    this.#lastThrottledMs = nowMs
    return isShared || this.#isStale(nowMs) ? 'account' : 'undecided'
  }

  #isStale(nowMs: number): boolean {
    return nowMs - this.#answeredMs > EVIDENCE_MS
  }
}
