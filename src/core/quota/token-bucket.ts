/**
 * The quota inside one process: a token bucket that spaces calls evenly, and a sliding window that guarantees "at most
 * n in any window". Pure, with monotonic times in milliseconds.
 *
 * The bucket alone is not enough: with capacity b it allows n + b calls in a window. The window alone would allow all n
 * calls in its first millisecond.
 *
 * The bucket must not waste what the window allows. Timers fire late, by a millisecond or a whole stall, so permits
 * that were due in the meantime are granted at once, up to a tenth of a second's worth.
 */
import { BackOff } from '../back-off.ts'
import { SlidingWindow } from './sliding-window.ts'

export interface TokenBucketOptions {
  /** Permits in any window, and the maximum for {@link TokenBucket.resize}. */
  readonly permits: number
  /** 1 s plus a guard for network jitter on the way to the API. */
  readonly windowMs: number
  /** Permits that may be granted at once after an idle period. */
  readonly burst: number
}

/** How much time lost to late timers is made up for. */
const MAX_CATCH_UP_MS = 100

export class TokenBucket {
  /** A token bucket can always be asked. */
  readonly unavailable = null
  readonly #options: TokenBucketOptions
  readonly #window: SlidingWindow
  readonly #backOff = new BackOff()
  #permits: number
  /** Former limits. Each one applies until its window is over. */
  #former: readonly { readonly permits: number; readonly untilMs: number }[] = []
  #tokens: number
  #refilledMs = 0
  /** A record had to wait, so unused tokens result from late timers and not from idleness. */
  #wasWaitedFor = false
  #waitsForPending = false
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

  /** A smaller limit applies at once, including past calls; a larger one when the current window is over. */
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
    const untilWindowMs = this.#window.waitMs(nowMs, limit)
    this.#waitsForPending = untilWindowMs === Infinity
    const waitMs = Math.max(this.#backOff.restMs(nowMs), untilWindowMs, this.#untilTokenMs(perMs))
    this.#wasWaitedFor = waitMs > 0
    if (waitMs > 0) return Math.min(waitMs, (this.#former[0]?.untilMs ?? Infinity) - nowMs)
    this.#tokens = Math.max(0, this.#tokens - 1)
    this.#window.granted()
    return 0
  }

  /** The call is being written. */
  confirm(_takenMs: number, nowMs: number): true {
    this.#window.written(nowMs)
    this.#notifyWaiting()
    return true
  }

  /** The call will never be written. */
  dropped(): void {
    this.#window.dropped()
    this.#notifyWaiting()
  }

  /** The API throttled a call, because others use the account too. */
  throttled(nowMs: number, retryAfterMs: number | null): void {
    this.#backOff.throttled(nowMs, retryAfterMs)
    this.#tokens = Math.min(1, this.#tokens)
  }

  /** Calls per second that are allowed now. */
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
    const max = burst + (this.#wasWaitedFor ? MAX_CATCH_UP_MS * perMs : 0)
    const more = Math.max(0, nowMs - this.#refilledMs) * perMs
    this.#tokens = Math.max(this.#tokens, Math.min(max, this.#tokens + more))
    this.#refilledMs = Math.max(this.#refilledMs, nowMs)
  }

  #untilTokenMs(perMs: number): number {
    // Treats a rounding error as a whole token; the remaining wait would be too short to make a difference.
    return this.#tokens > 1 - 1e-9 ? 0 : (1 - this.#tokens) / perMs
  }

  #notifyWaiting(): void {
    if (!this.#waitsForPending) return
    this.#waitsForPending = false
    this.#listener()
  }
}

/** No limit; only for a loopback endpoint. */
export const UNLIMITED = {
  unavailable: null,
  onAvailable: () => undefined,
  take: () => 0,
  confirm: () => true,
  throttled: () => undefined,
} as const
