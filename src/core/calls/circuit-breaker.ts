/**
 * The circuit breaker: closed (calls flow), open with a reason (calls are paused), half-open (one probe). Pure: callers
 * pass the time and the result of each call. While open, it allows one probe at a time and closes when a probe gets any
 * answer that is not a rejection. The interval between probes is a tenth of the time since it opened, within bounds, so
 * calls resume within seconds after a short fault and the API is not flooded during a long one.
 *
 * A rejection that concerns a single record does not open it (`refusals.ts`). While only a few records have been
 * rejected, a record that has not been rejected yet may call without being the probe, because it will probably be
 * answered.
 */
import { Evidence, RefusedRecord, type Blame } from './refusals.ts'

/** Why calls are paused. A closed set, used as the label of `circuit_open`. */
export const CIRCUIT_REASONS = [
  'credentials',
  'account',
  /** Rejected with a code that this version does not know. */
  'refused',
  'clock',
  'throttled',
  'upstream-down',
  'quota-unavailable',
  'dead-letter-limit',
] as const
export type CircuitReason = (typeof CIRCUIT_REASONS)[number]

/**
 * The result of a call: its outcome (`classify.ts`), as far as the breaker needs it. `code` is the vendor's code, for the
 * operator.
 */
export type CallResult =
  /** The API answered. */
  | { readonly kind: 'final' | 'deferred' | 'rejected' }
  | { readonly kind: 'blocked'; readonly reason: CircuitReason; readonly code: string }
  | { readonly kind: 'unavailable'; readonly code: string; readonly retryAfterMs: number | null }
  /** The call was not made because its permit came too late. */
  | { readonly kind: 'unsent' }
  | { readonly kind: 'throttled'; readonly code: string; readonly retryAfterMs: number | null }

export interface Call {
  readonly isProbe: boolean
  /** When its permit was granted. */
  readonly startedMs: number
  /** Earlier rejections of the record that the call was for; null if nothing is known about it. */
  readonly record: RefusedRecord | null
}

/** Why calls are paused. */
export interface OpenCircuit {
  readonly reason: CircuitReason
  /** The vendor's code of the latest rejection. */
  readonly code: string
}

const MIN_WAIT_MS = 5_000
export const MAX_WAIT_MS = 60_000
const SHARE_OF_TIME_OPEN = 0.1
/** This many calls in a row without an answer mean that the API is down and not that one record had bad luck. */
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

  /** Milliseconds until a call for such a record may start: 0 is now, Infinity while a probe is in progress. */
  waitMs(nowMs: number, wasRefused = true): number {
    if (this.#opened === null) return 0
    if (this.#probing) return Infinity
    if (!wasRefused && this.#mayConcernOneRecord) return 0
    return Math.max(0, this.#probeAtMs - nowMs)
  }

  /** Must be called when a call starts. Returns whether it is the probe, which must be passed to {@link report}. */
  callStarted(): boolean {
    this.#probing = this.#opened !== null
    return this.#probing
  }

  /**
   * Must be called when a call returns. Calls that were in progress when the breaker opened report too, but only the
   * probe may close it. The return value says who caused a rejection; it has no meaning for other results.
   */
  report(result: CallResult, call: Call, nowMs: number): Blame {
    if (call.isProbe) this.#probing = false
    switch (result.kind) {
      case 'final':
      case 'deferred':
      case 'rejected':
        this.#unavailableInARow = 0
        this.#evidence.answeredCall(call.startedMs)
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
    // While calls are paused, no other record's call can serve as a comparison.
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
      // A throttled account works. The quota handles shorter pauses.
      this.#close()
    }
    return blame
  }

  /** Whether the rejected record may be the only one that is rejected. */
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
