/**
 * Decides which record may call next. Every CheckResult call, including retries and probes, acquires a permit here and
 * releases it with the call's result. A permit requires a closed circuit breaker (or the turn as its probe), a free
 * place among the calls in progress, and a permit of the quota.
 *
 * Records are served by priority, and each lower priority keeps a small guaranteed share. Within a priority, partitions
 * take turns, so that none waits behind another's backlog. While calls are paused, a record that was not rejected yet
 * is preferred as the probe, so that one record that is always rejected is not the only one to try.
 *
 * There is no polling: the queue is served when a record arrives, when a call returns, and at the time that the breaker
 * or the quota announced.
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

/** If `confirm` returned false, the permit must be released as unsent. */
export interface Permit extends CallTicket {
  /**
   * Must be called exactly once, when the call has returned. `record` has the record's earlier rejections. The return
   * value says who caused a rejection; it has no meaning for other results.
   */
  release(result: CallResult, record?: RefusedRecord | null): Blame
}

interface Waiter {
  readonly priority: Priority
  readonly sinceMs: number
  /** An earlier call of the record was rejected. */
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
  /** Shows whether rejections are caused by our clock. */
  readonly apiClock?: Pick<ApiClock, 'isOff' | 'description'>
}

/** Why no permits are granted, in addition to the circuit breaker's own reasons. */
export type PauseReason = 'rebalance' | 'stopping' | 'dead-letter-limit' | 'clock'

/** Of 20 permits, 2 go to deferred and 1 to redriven records even if fresh ones wait, so that no priority starves. */
const ROUND: { length: number; deferredAt: readonly number[]; redrivenAt: number } = {
  length: 20,
  deferredAt: [0, 10],
  redrivenAt: 15,
}
/** Stop accepting records of any priority when this many times `maxInFlight` wait. */
const SATURATED_AT = 16
const WAITING = 'The count is the number of records that wait for a permit.'

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
  /** Each reason has an optional message for the log. */
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
    return `open, reason ${this.#describe(reason)}${detail === null ? '' : `: ${detail}`}`
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /**
   * Whether enough records wait ahead that another one of this priority would only wait longer. Lower priorities do
   * not count, so that old work does not block new work, except for the limit on all of them, because they cost memory.
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
   * Waits for a permit. `partitionName` is the queue key. `isWanted` is checked when the record's turn comes; if it
   * returns false, the promise resolves to null and no quota is used.
   */
  acquire(
    priority: Priority,
    partitionName: string,
    isWanted: () => boolean,
    wasRefused = false,
  ): Promise<Permit | null> {
    // While nothing is granted, its turn would never come: a record may retry after the last sweep.
    if (!isWanted()) return Promise.resolve(null)
    return new Promise((resolve) => {
      const sinceMs = this.#options.clock.monotonicMs()
      this.#waiting[priority].push(partitionName, { priority, sinceMs, wasRefused, isWanted, resolve })
      this.#serve()
    })
  }

  /**
   * Grants nothing until {@link resume} is called with the same reason. Calls in progress continue. `detail` is a
   * message for the log.
   */
  pause(why: PauseReason, detail: string | null = null): void {
    this.#options.log.debug?.(`New calls are paused. ${WAITING}`, { reason: why, count: this.#waitingCount })
    this.#pauses.set(why, detail)
    this.#announce()
  }

  resume(why: PauseReason): void {
    this.#options.log.debug?.(`New calls are no longer paused for this reason. ${WAITING}`, {
      reason: why,
      count: this.#waitingCount,
    })
    this.#pauses.delete(why)
    this.#announce()
    this.#serve()
  }

  /** Resolves all waiting records that are no longer wanted to null, without waiting for their turn. */
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
    // The limiter may have become unavailable during the call.
    this.#announce()
    this.#report()
  }

  /** How many permits could be used now. While the circuit breaker is open, only one for the probe. */
  get #usable(): number {
    const usable = this.#breaker.openReason === null ? this.#options.maxInFlight - this.#inFlight : 1
    return Math.min(usable, this.#waitingCount)
  }

  #serveIn(waitMs: number): void {
    if (waitMs === Infinity) return
    this.#cancelTimer = this.#options.clock.after(Math.ceil(waitMs), () => this.#serve())
  }

  #grant(waiter: Waiter, nowMs: number): void {
    const { metrics, log } = this.#options
    const isProbe = this.#breaker.callStarted()
    if (isProbe)
      log.debug?.('One call starts as a probe while calls are paused.', {
        reason: this.openReason ?? 'none',
      })
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
    // If only one record is throttled, the others do not slow down.
    if (result.kind === 'throttled' && blame === 'account') limiter.throttled(nowMs, result.retryAfterMs)
    this.#announce()
    this.#serve()
    return blame
  }

  /** With a clock that is far off, the API rejects every call, with various codes. */
  #dueToClock(result: CallResult): CallResult {
    if (result.kind !== 'blocked' || this.#options.apiClock?.isOff !== true) return result
    return { ...result, reason: 'clock' }
  }

  /** Must be called after every change that may open or close the circuit breaker. Logs each change once. */
  #announce(): void {
    const before = this.#announced
    const reason = this.openReason
    if (reason === before) return
    this.#announced = reason
    const { metrics, log } = this.#options
    metrics.circuit(reason)
    if (reason === null) {
      const trial = before === 'dead-letter-limit' ? ` ${TRIAL}` : ''
      log.info(`The circuit breaker is closed again: calls resume.${trial}`, { reason: before ?? 'none' })
      return
    }
    const code = this.#code(reason)
    const detail = this.#detail(reason)
    log.error(`The circuit breaker is open, reason ${this.#describe(reason)}. ${EXPLAINED[reason]}`, {
      reason,
      ...(code !== null && { code }),
      ...(detail !== null && { detail }),
    })
  }

  /** The vendor's code of the latest rejection; null if the reason is another one. */
  #code(reason: CircuitReason): string | null {
    const pause = this.#breaker.opened
    return pause?.reason === reason ? printableCode(pause.code) : null
  }

  /** `credentials (InvalidAccessKeyId.NotFound)`; the code is left out if there is none. */
  #describe(reason: CircuitReason): string {
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

  /** The queue to serve next, with a wanted record at its head; null if no record waits. */
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

/** How a permit reports back to the queue. */
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
    // A call that failed before it was written counts as made, because the server may have seen some of it.
    if (!this.#isConfirmed) this.confirm()
    return this.#callbacks.released({ isProbe: this.#isProbe, startedMs: this.#takenMs, record }, result)
  }
}

/** Pauses that are shown as the reason of an open circuit breaker, most important first. */
const REPORTED_PAUSES = ['dead-letter-limit', 'clock'] as const satisfies readonly (PauseReason &
  CircuitReason)[]

const PROBING = 'Calls are paused except for one probe at a time. Events wait and none is lost.'
const PAUSED = 'Calls are paused. Events wait and none is lost.'
const TRIAL =
  'The cooldown of the dead-letter limit is over, and the service tries the next records. The limit trips again if they are no better.'
const EXPLAINED: Readonly<Record<CircuitReason, string>> = {
  credentials: `The API rejects the credentials. ${PROBING} Check the access key, its secret and its RAM policy.`,
  account: `The API rejects calls of this account, or the endpoint is wrong. ${PROBING} Check for overdue payments, whether the product is activated, and CHECKRESULT_ENDPOINT.`,
  refused: `The API rejects calls with a code that this version does not know. ${PROBING} Look up the code in the vendor's documentation, and check the account and its permissions.`,
  clock: `The clock of this machine is wrong, so the API rejects its calls or the brokers reject its records. ${PROBING} Check the time synchronization (NTP) of the node.`,
  throttled: `The API asked the service to wait before the next call. ${PROBING} Check what else uses the quota of the account, and CHECKRESULT_QPS.`,
  'upstream-down': `The API does not answer. ${PROBING} Check the network path to CHECKRESULT_ENDPOINT and the vendor's status page.`,
  'quota-unavailable': `The quota is unavailable; see detail for the cause. ${PAUSED} Calls resume as soon as the quota is available again.`,
  'dead-letter-limit':
    `Too many of the last records would become dead letters. ${PAUSED} Run \`npm start -- dlq stats\`, and check what changed: the producer, ` +
    'the schema of its events, the account, or this service. The service tries again after DEAD_LETTER_LIMIT_COOLDOWN.',
}
