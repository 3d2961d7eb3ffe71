/**
 * Who may call next. Every CheckResult call, retries and probes included, acquires a permit here and releases it with
 * what the call brought. A permit takes three things at once: a closed circuit breaker (or its turn as the probe), a free
 * place among the calls in flight, and the quota's consent. Waiters are served by priority, each lower one keeping a floor;
 * those of one priority by their partitions in turn, so that none waits behind all that another has. While calls are paused
 * a record that was not refused yet is preferred as the probe: one record that is always refused must not be the only one asked.
 *
 * Nothing polls: a pass over the queue is made when somebody comes, when a call returns, and at the time the breaker or
 * the quota named.
 */
import type { ApiClock } from '../core/api-clock.ts'
import { printableCode } from '../core/dead-letter.ts'
import { CircuitBreaker, type Call, type CallResult, type CircuitReason } from '../core/circuit-breaker.ts'
import type { Blame, RefusedRecord } from '../core/refusals.ts'
import {
  PRIORITIES,
  type Clock,
  type CallTicket,
  type Log,
  type Metrics,
  type Priority,
  type RateLimiter,
} from '../ports.ts'
import { FairQueue } from './fair-queue.ts'

/** A call that was forbidden to start is to be released as unsent. */
export interface Permit extends CallTicket {
  /**
   * To be called exactly once, when the call is back. `record` is what its record remembers of refused calls. Says whose
   * fault a refusal is; of no meaning for other results.
   */
  release(result: CallResult, record?: RefusedRecord | null): Blame
}

interface Waiter {
  readonly priority: Priority
  readonly sinceMs: number
  /** A call of its record was refused before. */
  readonly wasRefused: boolean
  readonly isWanted: () => boolean
  readonly resolve: (permit: Permit | null) => void
}

export interface PermitQueueOptions {
  readonly limiter: RateLimiter
  readonly maxInFlight: number
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'permitGranted' | 'permitsWaiting' | 'inFlight' | 'circuit'>
  readonly log: Log
  /** Tells whether a refusal is due to our clock. */
  readonly apiClock?: Pick<ApiClock, 'isOff' | 'description'>
}

/** Why no permit is granted, beside the circuit breaker's own reasons. */
export type PauseReason = 'rebalance' | 'stopping' | 'dead-letter-limit' | 'clock'

/** Of twenty permits two go to deferred work and one to redriven although fresh waits: old work starves nobody, nor starves. */
const ROUND: { length: number; deferredAt: readonly number[]; redrivenAt: number } = {
  length: 20,
  deferredAt: [0, 10],
  redrivenAt: 15,
}
/** So many times as many as may call at once wait, of whatever priority, before none comes in any more. */
const SATURATED_AT = 16

export class PermitQueue {
  readonly #options: PermitQueueOptions
  readonly #breaker = new CircuitBreaker()
  readonly #waiting: Readonly<Record<Priority, FairQueue<Waiter>>> = {
    fresh: new FairQueue(),
    deferred: new FairQueue(),
    redriven: new FairQueue(),
  }
  #inFlight = 0
  #granted = 0
  /** Each with a message for the log. */
  readonly #pauses = new Map<PauseReason, string | null>()
  #announced: CircuitReason | null = null
  #cancelTimer: (() => void) | null = null
  readonly #callbacks: PermitCallbacks = {
    confirm: (takenMs) => this.#options.limiter.confirm(takenMs, this.#options.clock.monotonicMs()),
    released: (...back) => this.#released(...back),
  }

  constructor(options: PermitQueueOptions) {
    this.#options = options
    options.limiter.onAvailable(() => {
      this.#announce()
      this.#serve()
    })
  }

  get openReason(): CircuitReason | null {
    for (const pause of REPORTED_PAUSES) if (this.#pauses.has(pause)) return pause
    return (
      this.#breaker.openReason ?? (this.#options.limiter.unavailable === null ? null : 'quota-unavailable')
    )
  }

  /** For the status page: `closed`, or `open` with the reason and the vendor's code. */
  get status(): string {
    const reason = this.openReason
    if (reason === null) return 'closed'
    const detail = this.#detail(reason)
    return `open, reason ${this.#named(reason)}${detail === null ? '' : `: ${detail}`}`
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /**
   * As many wait ahead as may call at once: who else comes with this priority would only wait longer. Those behind do not
   * count, or much old work would keep new work from coming in; but all of them cost memory.
   */
  isSaturated(priority: Priority): boolean {
    const { maxInFlight } = this.#options
    if (this.#waitingCount >= SATURATED_AT * maxInFlight) return true
    const ahead = PRIORITIES.slice(0, PRIORITIES.indexOf(priority) + 1)
    return ahead.reduce((count, one) => count + this.#waiting[one].length, 0) >= maxInFlight
  }

  get #waitingCount(): number {
    const { fresh, deferred, redriven } = this.#waiting
    return fresh.length + deferred.length + redriven.length
  }

  /**
   * Waits for a permit. `source` is the partition it is for. `wanted` is asked when its turn comes: a waiter nobody wants any
   * more gets null and costs nothing of the quota.
   */
  acquire(
    priority: Priority,
    partitionName: string,
    isWanted: () => boolean,
    wasRefused = false,
  ): Promise<Permit | null> {
    // While nothing is granted its turn would never come: a call that failed meanwhile asks again after the last sweep.
    if (!isWanted()) return Promise.resolve(null)
    return new Promise((resolve) => {
      const sinceMs = this.#options.clock.monotonicMs()
      this.#waiting[priority].push(partitionName, { priority, sinceMs, wasRefused, isWanted, resolve })
      this.#serve()
    })
  }

  /** Grants nothing until {@link resume} is told the same. Calls in flight go on. `detail` is a message for the log. */
  pause(why: PauseReason, detail: string | null = null): void {
    this.#pauses.set(why, detail)
    this.#announce()
  }

  resume(why: PauseReason): void {
    this.#pauses.delete(why)
    this.#announce()
    this.#serve()
  }

  /** Sends those away whom nobody wants any more, without waiting for their turn. */
  sweep(): void {
    for (const priority of PRIORITIES) {
      for (const { resolve } of this.#waiting[priority].remove(({ isWanted }) => !isWanted())) resolve(null)
    }
    this.#report()
  }

  #serve(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = null
    while (this.#pauses.size === 0 && this.#inFlight < this.#options.maxInFlight) {
      const nowMs = this.#options.clock.monotonicMs()
      const waiters = this.#next()
      const first = waiters?.peek()
      if (waiters === null || first === undefined) break
      const waitMs =
        this.#breaker.waitMs(nowMs, first.wasRefused) || this.#options.limiter.take(nowMs, this.#usable)
      if (waitMs > 0) {
        this.#serveIn(waitMs)
        break
      }
      waiters.shift()
      this.#grant(first, nowMs)
    }
    // Being asked, the limiter may have found that there are no permits.
    this.#announce()
    this.#report()
  }

  /** Permits that could be used now: while calls are paused, one for the probe. */
  get #usable(): number {
    const usable = this.#breaker.openReason === null ? this.#options.maxInFlight - this.#inFlight : 1
    return Math.min(usable, this.#waitingCount)
  }

  #serveIn(waitMs: number): void {
    if (waitMs === Infinity) return
    this.#cancelTimer = this.#options.clock.after(Math.ceil(waitMs), () => this.#serve())
  }

  #grant(waiter: Waiter, nowMs: number): void {
    const { metrics } = this.#options
    const isProbe = this.#breaker.callStarted()
    this.#granted += 1
    this.#inFlight += 1
    metrics.permitGranted(waiter.priority, (nowMs - waiter.sinceMs) / 1000)
    waiter.resolve(new GrantedPermit(this.#callbacks, nowMs, isProbe))
  }

  #released(call: Call, result: CallResult): Blame {
    this.#inFlight -= 1
    const { clock, limiter } = this.#options
    const nowMs = clock.monotonicMs()
    const blame = this.#breaker.report(this.#dueToClock(result), call, nowMs)
    // What only one record gets slows nobody down.
    if (result.kind === 'throttled' && blame === 'account') limiter.throttled(nowMs, result.retryAfterMs)
    this.#announce()
    this.#serve()
    return blame
  }

  /** With a clock that is far off every call is refused, whatever code the API gives. */
  #dueToClock(result: CallResult): CallResult {
    if (result.kind !== 'blocked' || this.#options.apiClock?.isOff !== true) return result
    return { ...result, reason: 'clock' }
  }

  /** After whatever may pause or resume calls, or change the reason: says so, once. */
  #announce(): void {
    const before = this.#announced
    const reason = this.openReason
    if (reason === before) return
    this.#announced = reason
    const { metrics, log } = this.#options
    metrics.circuit(reason)
    if (reason === null) {
      log.info('The circuit breaker is closed again: calls resume.', { reason: before ?? 'none' })
      return
    }
    const code = this.#code(reason)
    const detail = this.#detail(reason)
    log.error(`The circuit breaker is open, reason ${this.#named(reason)}. ${EXPLAINED[reason]}`, {
      reason,
      ...(code !== null && { code }),
      ...(detail !== null && { detail }),
    })
  }

  /** The vendor's code of the latest refusal; null where none is the reason. */
  #code(reason: CircuitReason): string | null {
    const pause = this.#breaker.opened
    return pause?.reason === reason ? printableCode(pause.code) : null
  }

  /** `credentials (InvalidAccessKeyId.NotFound)`; the code is left out if there is none. */
  #named(reason: CircuitReason): string {
    const code = this.#code(reason)
    return code === null ? reason : `${reason} (${code})`
  }

  #detail(reason: CircuitReason): string | null {
    const { limiter, apiClock } = this.#options
    if (reason === 'quota-unavailable') return limiter.unavailable
    const pauseReason = REPORTED_PAUSES.find((pause) => pause === reason)
    const detail = pauseReason === undefined ? null : (this.#pauses.get(pauseReason) ?? null)
    return detail ?? (reason === 'clock' ? (apiClock?.description ?? null) : null)
  }

  /** The queue whose turn it is, its first waiter still wanted; null when nobody waits. */
  #next(): FairQueue<Waiter> | null {
    const order = this.#order()
    let first: FairQueue<Waiter> | null = null
    for (const priority of order) {
      const waiters = this.#waiting[priority]
      while (waiters.peek()?.isWanted() === false) waiters.shift()?.resolve(null)
      if (waiters.length === 0) continue
      if (this.#breaker.openReason === null || waiters.prefer(wasNeverRefused)) return waiters
      first ??= waiters
    }
    return first
  }

  #order(): readonly Priority[] {
    const turn = (this.#granted + 1) % ROUND.length
    if (turn === ROUND.redrivenAt) return ['redriven', 'deferred', 'fresh']
    if (ROUND.deferredAt.includes(turn)) return ['deferred', 'fresh', 'redriven']
    return PRIORITIES
  }

  #report(): void {
    this.#options.metrics.inFlight(this.#inFlight)
    this.#options.metrics.permitsWaiting({
      fresh: this.#waiting.fresh.length,
      deferred: this.#waiting.deferred.length,
      redriven: this.#waiting.redriven.length,
    })
  }
}

function wasNeverRefused({ wasRefused, isWanted }: Waiter): boolean {
  return !wasRefused && isWanted()
}

/** Where permits are reported back to. */
interface PermitCallbacks {
  readonly confirm: (takenMs: number) => boolean
  readonly released: (call: Call, result: CallResult) => Blame
}

class GrantedPermit implements Permit {
  readonly #callbacks: PermitCallbacks
  readonly #takenMs: number
  readonly #isProbe: boolean
  #isConfirmed = false

  constructor(callbacks: PermitCallbacks, takenMs: number, isProbe: boolean) {
    this.#callbacks = callbacks
    this.#takenMs = takenMs
    this.#isProbe = isProbe
  }

  confirm(): boolean {
    this.#isConfirmed = true
    return this.#callbacks.confirm(this.#takenMs)
  }

  release(result: CallResult, record: RefusedRecord | null = null): Blame {
    // What came to nothing before it was written counts all the same: who knows what the peer has seen of it.
    if (!this.#isConfirmed) this.confirm()
    return this.#callbacks.released({ isProbe: this.#isProbe, startedMs: this.#takenMs, record }, result)
  }
}

/** Holds that are a reason of their own, the most important one first. */
const REPORTED_PAUSES = ['dead-letter-limit', 'clock'] as const satisfies readonly (PauseReason &
  CircuitReason)[]

const PROBING = 'Calls are paused except for one probe at a time. Events wait and none is lost.'
const PAUSED = 'Calls are paused. Events wait and none is lost.'
const EXPLAINED: Readonly<Record<CircuitReason, string>> = {
  credentials: `The API rejects the credentials. ${PROBING} Check the access key, its secret and its RAM policy.`,
  account: `The API rejects calls of this account, or the endpoint is wrong. ${PROBING} Check for overdue payments, whether the product is activated, and CHECKRESULT_ENDPOINT.`,
  refused: `The API rejects every call with a code that this version does not know. ${PROBING} Look up the code in the vendor's documentation, and check the account and its permissions.`,
  clock: `The clock of this machine is wrong, so the API rejects its calls or the brokers reject its records. ${PROBING} Check the time synchronization (NTP) of the node.`,
  throttled: `The API asked the service to wait before the next call. ${PROBING} Check what else uses the quota of the account, and CHECKRESULT_QPS.`,
  'upstream-down': `The API does not answer. ${PROBING} Check the network path to CHECKRESULT_ENDPOINT and the vendor's status page.`,
  'quota-unavailable': `The quota cannot be checked, so no call is allowed. ${PAUSED} Calls resume as soon as it can be checked again.`,
  'dead-letter-limit':
    `Too many of the last records would become dead letters. ${PAUSED} Check the deployed version and the schema of the events. Roll back, or ` +
    'wait: after DEAD_LETTER_LIMIT_COOLDOWN the service tries again.',
}
