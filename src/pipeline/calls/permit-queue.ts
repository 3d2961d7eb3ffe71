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
import type { ApiClock } from '../../core/calls/api-clock.ts'
import { CallTicket, type TicketIssuer } from '../../core/calls/call-ticket.ts'
import { CircuitBreaker, type CallResult, type CircuitReason } from '../../core/calls/circuit-breaker.ts'
import type { Blame } from '../../core/calls/refusals.ts'
import {
  PRIORITIES,
  type Clock,
  type Log,
  type Metrics,
  type Priority,
  type RateLimiter,
} from '../../ports.ts'
import { CallPauses, type PauseReason } from './call-pauses.ts'
import { FairQueue } from './fair-queue.ts'

interface Waiter {
  readonly priority: Priority
  readonly sinceMs: number
  /** An earlier call of the record was rejected. */
  readonly wasRefused: boolean
  readonly isWanted: () => boolean
  readonly resolve: (ticket: CallTicket | null) => void
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

/** Of 20 permits, 2 go to deferred and 1 to redriven records even if fresh ones wait, so that no priority starves. */
const ROUND: { length: number; deferredAt: readonly number[]; redrivenAt: number } = {
  length: 20,
  deferredAt: [0, 10],
  redrivenAt: 15,
}
/** Stop accepting records of any priority when this many times `maxInFlight` wait. */
const SATURATED_AT = 16
const WAITING = 'The count is the number of records that wait for a permit.'

export class PermitQueue implements TicketIssuer {
  readonly #options: PermitQueueOptions
  readonly #breaker = new CircuitBreaker()
  readonly #pauses: CallPauses
  readonly #waiting: Readonly<Record<Priority, FairQueue<Waiter>>> = {
    fresh: new FairQueue(),
    deferred: new FairQueue(),
    redriven: new FairQueue(),
  }
  #inFlight = 0
  #granted = 0
  #cancelTimer: (() => void) | null = null

  constructor(options: PermitQueueOptions) {
    this.#options = options
    this.#pauses = new CallPauses({ ...options, breaker: this.#breaker })
    options.limiter.onAvailable(() => {
      this.#pauses.announce()
      this.#serve()
    })
  }

  get openReason(): CircuitReason | null {
    return this.#pauses.openReason
  }

  /** For the status page: `closed`, or `open` with the reason and the vendor's code. */
  get status(): string {
    return this.#pauses.status
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
    let ahead = 0
    for (const one of PRIORITIES) {
      ahead += this.#waiting[one].length
      if (one === priority) break
    }
    return ahead >= maxInFlight
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
  ): Promise<CallTicket | null> {
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
    this.#pauses.add(why, detail)
  }

  resume(why: PauseReason): void {
    this.#options.log.debug?.(`New calls are no longer paused for this reason. ${WAITING}`, {
      reason: why,
      count: this.#waitingCount,
    })
    this.#pauses.remove(why)
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
    while (!this.#pauses.isPaused && this.#inFlight < this.#options.maxInFlight) {
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
    this.#pauses.announce()
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
    waiter.resolve(new CallTicket(this, nowMs, isProbe))
  }

  /** For {@link CallTicket.confirm}. */
  confirmed({ startedMs }: CallTicket): boolean {
    return this.#options.limiter.confirm(startedMs, this.#options.clock.monotonicMs())
  }

  /** For {@link CallTicket.release}. */
  released(ticket: CallTicket, result: CallResult): Blame {
    this.#inFlight -= 1
    const { clock, limiter } = this.#options
    const nowMs = clock.monotonicMs()
    const blame = this.#breaker.report(this.#dueToClock(result), ticket, nowMs)
    // If only one record is throttled, the others do not slow down.
    if (result.kind === 'throttled' && blame === 'account') limiter.throttled(nowMs, result.retryAfterMs)
    this.#pauses.announce()
    this.#serve()
    return blame
  }

  /** With a clock that is far off, the API rejects every call, with various codes. */
  #dueToClock(result: CallResult): CallResult {
    if (result.kind !== 'blocked' || this.#options.apiClock?.isOff !== true) return result
    return { ...result, reason: 'clock' }
  }

  /** The queue to serve next, with a wanted record at its head; null if no record waits. */
  #next(): FairQueue<Waiter> | null {
    let first: FairQueue<Waiter> | null = null
    for (const priority of this.#order()) {
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
