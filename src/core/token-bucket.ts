/**
 * The quota inside one process: a token bucket for smoothness and a ring of the last calls that makes "at most n in any
 * window" exact. Pure: it is told a monotonic time in milliseconds.
 *
 * The bucket alone does not keep the promise: capacity b and rate r let n + b through in a window. The ring alone does,
 * but lets the whole window's permits through in its first millisecond. Together they grant evenly and never too much.
 *
 * The bucket must not cost what the ring allows. Timers are late, by a millisecond or by a stall: what somebody had to
 * wait too long for is granted then, up to a tenth of a second's worth at once.
 */
import { BackOff } from './back-off.ts'
import { SlidingWindow } from './sliding-window.ts'

export interface TokenBucketOptions {
  /** Permits in any window; also the most it can be resized to. */
  readonly permits: number
  /** The window: 1 s, plus a guard against jitter on the way to the API. */
  readonly windowMs: number
  /** Permits that may be granted at once after idling. */
  readonly burst: number
}

/** How much of what late timers missed is made up for. */
const CARRIED_MS = 100

export class TokenBucket {
  /** What it has to say it says when it is asked. */
  readonly unavailable = null
  readonly #options: TokenBucketOptions
  readonly #window: SlidingWindow
  readonly #backOff = new BackOff()
  #permits: number
  /** Smaller or larger limits of before, each counting until its window is over. */
  #former: readonly { readonly permits: number; readonly untilMs: number }[] = []
  #tokens: number
  #refilledMs = 0
  /** Somebody was told to wait, so that tokens kept are not idleness but lateness. */
  #awaited = false
  #stuck = false
  #listener: () => void = () => undefined

  constructor(options: TokenBucketOptions) {
    this.#options = options
    this.#window = new SlidingWindow(options.permits, options.windowMs)
    this.#permits = options.permits
    this.#tokens = options.burst
  }

  onAvailable(listener: () => void): void {
    this.#listener = listener
  }

  /** A smaller limit counts at once, past calls included; a larger one when the window that has begun is over. */
  resize(permits: number, nowMs: number): void {
    const untilMs = nowMs + this.#options.windowMs
    this.#former = [...this.#former.filter((one) => one.untilMs > nowMs), { permits: this.#permits, untilMs }]
    this.#permits = Math.min(permits, this.#options.permits)
  }

  /** Takes a permit and returns 0, or returns the milliseconds until one can be taken. */
  take(nowMs: number): number {
    const limit = this.#limit(nowMs)
    const perMs = this.#backOff.rate(limit, nowMs) / this.#options.windowMs
    this.#refill(nowMs, limit, perMs)
    const forWindow = this.#window.waitMs(nowMs, limit)
    this.#stuck = forWindow === Infinity
    const waitMs = Math.max(this.#backOff.restMs(nowMs), forWindow, this.#forTokenMs(perMs))
    this.#awaited = waitMs > 0
    if (waitMs > 0) return Math.min(waitMs, (this.#former[0]?.untilMs ?? Infinity) - nowMs)
    this.#tokens = Math.max(0, this.#tokens - 1)
    this.#window.granted()
    return 0
  }

  /** The call is written. */
  confirm(_takenMs: number, nowMs: number): true {
    this.#window.written(nowMs)
    this.#unstick()
    return true
  }

  /** The call will never be written. */
  dropped(): void {
    this.#window.dropped()
    this.#unstick()
  }

  /** The API refused a call: others share the account. */
  throttled(nowMs: number, retryAfterMs: number | null): void {
    this.#backOff.throttled(nowMs, retryAfterMs)
    this.#tokens = Math.min(1, this.#tokens)
  }

  /** Calls per second it lets through now. */
  rate(nowMs: number): number {
    return this.#backOff.rate(this.#limit(nowMs), nowMs)
  }

  #limit(nowMs: number): number {
    if (this.#former.length === 0) return this.#permits
    this.#former = this.#former.filter(({ untilMs }) => untilMs > nowMs)
    return this.#former.reduce((min, { permits }) => Math.min(min, permits), this.#permits)
  }

  #refill(nowMs: number, limit: number, perMs: number): void {
    const burst = Math.max(1, Math.min(this.#options.burst, limit))
    const max = burst + (this.#awaited ? CARRIED_MS * perMs : 0)
    const more = Math.max(0, nowMs - this.#refilledMs) * perMs
    this.#tokens = Math.max(this.#tokens, Math.min(max, this.#tokens + more))
    this.#refilledMs = Math.max(this.#refilledMs, nowMs)
  }

  #forTokenMs(perMs: number): number {
    // A token that is a rounding error short is whole: else the wait for it would be too small to pass.
    return this.#tokens > 1 - 1e-9 ? 0 : (1 - this.#tokens) / perMs
  }

  #unstick(): void {
    if (!this.#stuck) return
    this.#stuck = false
    this.#listener()
  }
}

/** No limit at all: for a loopback endpoint only. */
export const UNLIMITED = {
  unavailable: null,
  onAvailable: () => undefined,
  take: () => 0,
  confirm: () => true,
  throttled: () => undefined,
} as const
