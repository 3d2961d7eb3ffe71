/**
 * The circuit breaker: closed (calls flow), open with a reason (calls are paused), half-open (one probe). Pure: it is told
 * the time and what each call brought, and says how long to wait. Open, it lets one probe through at a time and closes when
 * a probe gets an answer of any kind that is not a refusal. Probes are a tenth of the time apart that calls have been paused,
 * within bounds: after a short fault calls resume within seconds, and during a long one the API is not asked all the time.
 *
 * A refusal that only one record gets does not open it (`refusals.ts`). While few records have been refused, a record that has
 * not been refused yet need not wait for its turn as the probe: it may well be answered.
 */
import { Evidence, RefusedRecord, type Blame } from './refusals.ts'

/** Why no calls are made. A closed set: the label of `circuit_open`. */
export const CIRCUIT_REASONS = [
  'credentials',
  'account',
  /** Refused with a code this version does not know. */
  'refused',
  'clock',
  'throttled',
  'upstream-down',
  'quota-unavailable',
  'dead-letter-limit',
] as const
export type CircuitReason = (typeof CIRCUIT_REASONS)[number]

/** What a call brought, as far as the breaker cares. `code` is the vendor's, for the operator. */
export type CallResult =
  | { readonly kind: 'answered' }
  | { readonly kind: 'blocked'; readonly reason: CircuitReason; readonly code: string }
  | { readonly kind: 'unavailable'; readonly code: string; readonly retryAfterMs: number | null }
  /** It was not made after all: its permit came too late. */
  | { readonly kind: 'unsent' }
  | { readonly kind: 'throttled'; readonly code: string; readonly retryAfterMs: number | null }

export interface Call {
  readonly isProbe: boolean
  readonly startedMs: number
  /** Of the record the call was for; null is a record of which nothing else is known. */
  readonly record: RefusedRecord | null
}

/** Why calls are paused. */
export interface OpenCircuit {
  readonly reason: CircuitReason
  /** The vendor's code of the latest refusal. */
  readonly code: string
}

const MIN_WAIT_MS = 5_000
export const MAX_WAIT_MS = 60_000
const SHARE_OF_TIME_OPEN = 0.1
/** So many calls in a row without an answer mean the API is down, not one record unlucky. */
const UNAVAILABLE_IN_A_ROW = 20

export class CircuitBreaker {
  readonly #evidence = new Evidence()
  #opened: OpenCircuit | null = null
  #probing = false
  #probeAtMs = 0
  #openedAtMs = 0
  #unavailableInARow = 0

  get opened(): OpenCircuit | null {
    return this.#opened
  }

  get openReason(): CircuitReason | null {
    return this.#opened?.reason ?? null
  }

  /** Milliseconds until a call for such a record may start: 0 now, Infinity while a probe is out. */
  waitMs(nowMs: number, wasRefused = true): number {
    if (this.#opened === null) return 0
    if (this.#probing) return Infinity
    if (!wasRefused && this.#mayConcernOneRecord) return 0
    return Math.max(0, this.#probeAtMs - nowMs)
  }

  /** A call starts. True says that it is the probe, to be handed back to {@link report}. */
  callStarted(): boolean {
    this.#probing = this.#opened !== null
    return this.#probing
  }

  /**
   * A call is back. Those that were under way when calls were paused report too: only the probe may resume them. Says whose
   * fault a refusal is; of no meaning for other results.
   */
  report(result: CallResult, call: Call, nowMs: number): Blame {
    if (call.isProbe) this.#probing = false
    switch (result.kind) {
      case 'answered':
        this.#unavailableInARow = 0
        this.#evidence.served(call.startedMs)
        if (call.isProbe) this.#close()
        return 'account'
      case 'throttled':
        return this.#throttled(result, call, nowMs)
      case 'blocked':
        return this.#blocked(result, call, nowMs)
      case 'unavailable':
        this.#unavailableInARow += 1
        if (call.isProbe || this.#unavailableInARow >= UNAVAILABLE_IN_A_ROW) {
          const atLeastMs = result.retryAfterMs ?? 0
          this.#open({ reason: 'upstream-down', code: result.code }, { nowMs, call, atLeastMs })
        }
        return 'account'
      case 'unsent':
        return 'account'
    }
  }

  #blocked({ reason, code }: CallResult & { kind: 'blocked' }, call: Call, nowMs: number): Blame {
    const wasOpen = this.#opened !== null
    const blame = this.#evidence.blocked(call.record ?? new RefusedRecord(), nowMs)
    // While calls are paused there is nobody to compare with.
    if (!wasOpen && blame !== 'account') return blame
    this.#open({ reason, code }, { nowMs, call, atLeastMs: 0 })
    return 'account'
  }

  #throttled({ code, retryAfterMs }: CallResult & { kind: 'throttled' }, call: Call, nowMs: number): Blame {
    const blame = this.#evidence.throttled(call.record ?? new RefusedRecord(), nowMs)
    const atLeastMs = retryAfterMs ?? 0
    if (blame === 'account' && atLeastMs >= MIN_WAIT_MS) {
      this.#open({ reason: 'throttled', code }, { nowMs, call, atLeastMs })
    } else if (call.isProbe) {
      // An account that is throttled is an account that is served. Shorter pauses are the quota's.
      this.#close()
    }
    return blame
  }

  /** The record that was refused may be the only one that is. */
  get #mayConcernOneRecord(): boolean {
    const reason = this.openReason
    return this.#evidence.isWeak && reason !== 'throttled' && reason !== 'upstream-down'
  }

  #close(): void {
    this.#opened = null
    this.#unavailableInARow = 0
  }

  #open(opened: OpenCircuit, { nowMs, call, atLeastMs }: Opening): void {
    if (this.#opened !== null && !call.isProbe) return
    if (this.#opened === null) this.#openedAtMs = nowMs
    this.#opened = opened
    const waitMs = Math.max(MIN_WAIT_MS, (nowMs - this.#openedAtMs) * SHARE_OF_TIME_OPEN, atLeastMs)
    this.#probeAtMs = nowMs + Math.min(MAX_WAIT_MS, waitMs)
  }
}

interface Opening {
  readonly nowMs: number
  readonly call: Call
  readonly atLeastMs: number
}
