/**
 * Whose fault a refused call is: the account's (every record would get it) or the record's (others are answered meanwhile).
 * Pure: it is told what each call brought and compares records with each other.
 *
 *   blocked     the record's, if it was refused before, another record's call started after that was answered, and it is
 *               refused again. One such contradiction is enough, because an account that is refused answers nobody.
 *   throttled   the record's, if this happens again and again while more of the others' calls are answered than throttled.
 *               An account that is used by others too throttles any record now and then, so one contradiction is not enough.
 *
 * The account's, if nobody was answered lately, or if too many different records are refused with no answer in between.
 * Between the two the refusal stays undecided: the record waits and asks again, all others go on at their pace.
 */
export type Blame = 'account' | 'record' | 'undecided'

/** An answer is evidence that the account is served for this long. */
const EVIDENCE_MS = 10_000
/** This many different records refused in a row mean that the account is refused. */
const REFUSED_IN_A_ROW = 20
/** Fewer different records than this, refused in a row, say nothing about the account. */
const TOO_FEW_RECORDS = 3
const MIN_THROTTLED = 4

/** What one record remembers of its refused calls. Belongs to {@link Evidence}. */
export class RefusedRecord {
  /** When it was last blocked. */
  blockedMs = Infinity
  timesThrottled = 0
  /** Throttled while most others were answered. */
  throttledAlone = 0
  /** Calls of all records when it was last throttled. */
  answered = Infinity
  throttled = 0
}

export class Evidence {
  /** The latest start of a call that was answered. */
  #answeredMs = -Infinity
  #answered = 0
  #throttled = 0
  /** Records blocked since the last answer. */
  readonly #row = new Set<RefusedRecord>()
  #rowSinceMs = -Infinity
  #lastThrottled: RefusedRecord | null = null
  #lastThrottledMs = -Infinity

  /** So few different records were refused that another record may well be answered. */
  get isWeak(): boolean {
    return this.#row.size < TOO_FEW_RECORDS
  }

  /** A call was answered: the account is served. An answer to a call from before the refusals does not contradict them. */
  served(startedMs: number): void {
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
    // A few records that are always throttled would otherwise outweigh all that are answered, and never be found out.
    if (record.timesThrottled <= MIN_THROTTLED) this.#throttled += 1
    record.answered = this.#answered
    record.throttled = this.#throttled
    if (record.throttledAlone >= MIN_THROTTLED - 1) return 'record'
    // Others were answered since the last time: only records that are throttled for the first time speak for the account.
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
