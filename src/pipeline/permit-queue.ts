/**
 * Who may call next. Every CheckResult call, retries and probes included, acquires a permit here and releases it with
 * what the call brought. A permit takes three things at once: an open gate (or its turn as the probe), a free place
 * among the calls in flight, and the quota's consent. Waiters are served by priority, each lower one keeping a floor; those
 * of one priority by their partitions in turn, so that none waits behind all that another has.
 *
 * Nothing polls: a pass over the queue is made when somebody comes, when a call returns, and at the time the gate or
 * the quota named.
 */
import { Gate, type CallResult, type GateReason } from '../core/gate.ts'
import {
  PRIORITIES,
  type Clock,
  type Leave,
  type Log,
  type Metrics,
  type Priority,
  type RateLimiter,
} from '../ports.ts'
import { FairQueue } from './fair-queue.ts'

/** A call that was forbidden to start is to be released as unsent. */
export interface Permit extends Leave {
  /** To be called exactly once, when the call is back. */
  release(result: CallResult, retryAfterMs?: number | null): void
}

interface Waiter {
  readonly priority: Priority
  readonly sinceMs: number
  readonly wanted: () => boolean
  readonly resolve: (permit: Permit | null) => void
}

export interface PermitQueueOptions {
  readonly limiter: RateLimiter
  readonly maxInFlight: number
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'permitGranted' | 'permitsWaiting' | 'inFlight' | 'gate'>
  readonly log: Log
}

/** Why no permit is granted, beside the gate's own reasons. */
export type Hold = 'rebalance' | 'stopping' | 'dead-letter-brake'

/** Of twenty permits two go to deferred work and one to redriven although fresh waits: old work starves nobody, nor starves. */
const ROUND: { length: number; deferredAt: readonly number[]; redrivenAt: number } = {
  length: 20,
  deferredAt: [0, 10],
  redrivenAt: 15,
}
/** So many times as many as may call at once wait, of whatever priority, before none comes in any more. */
const CROWDED_AT = 16

export class PermitQueue {
  readonly #options: PermitQueueOptions
  readonly #gate = new Gate()
  readonly #waiting: Readonly<Record<Priority, FairQueue<Waiter>>> = {
    fresh: new FairQueue(),
    deferred: new FairQueue(),
    redriven: new FairQueue(),
  }
  #inFlight = 0
  #granted = 0
  readonly #holds = new Set<Hold>()
  #announced: GateReason | null = null
  #cancelTimer: (() => void) | null = null
  readonly #desk: Desk = {
    starts: (takenMs) => this.#options.limiter.starts(takenMs, this.#options.clock.monotonicMs()),
    released: (...back) => this.#released(...back),
  }

  constructor(options: PermitQueueOptions) {
    this.#options = options
    options.limiter.onAvailable(() => {
      this.#announce()
      this.#serve()
    })
  }

  get closed(): GateReason | null {
    if (this.#holds.has('dead-letter-brake')) return 'dead-letter-brake'
    return this.#gate.closed ?? (this.#options.limiter.unavailable === null ? null : 'quota-unavailable')
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /**
   * As many wait ahead as may call at once: who else comes with this priority would only wait longer. Those behind do not
   * count, or much old work would keep new work from coming in; but all of them cost memory.
   */
  isCrowded(priority: Priority): boolean {
    const { maxInFlight } = this.#options
    if (this.#waitingCount >= CROWDED_AT * maxInFlight) return true
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
  acquire(priority: Priority, source: string, wanted: () => boolean): Promise<Permit | null> {
    // While nothing is granted its turn would never come: a call that failed meanwhile asks again after the last sweep.
    if (!wanted()) return Promise.resolve(null)
    return new Promise((resolve) => {
      const sinceMs = this.#options.clock.monotonicMs()
      this.#waiting[priority].push(source, { priority, sinceMs, wanted, resolve })
      this.#serve()
    })
  }

  /** Grants nothing until {@link resume} is told the same. Calls in flight go on. */
  hold(why: Hold): void {
    this.#holds.add(why)
    this.#announce()
  }

  resume(why: Hold): void {
    this.#holds.delete(why)
    this.#announce()
    this.#serve()
  }

  /** Sends those away whom nobody wants any more, without waiting for their turn. */
  sweep(): void {
    for (const priority of PRIORITIES) {
      for (const { resolve } of this.#waiting[priority].remove(({ wanted }) => !wanted())) resolve(null)
    }
    this.#report()
  }

  #serve(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = null
    while (this.#holds.size === 0 && this.#inFlight < this.#options.maxInFlight) {
      const nowMs = this.#options.clock.monotonicMs()
      const waiters = this.#next()
      if (waiters === null) break
      const waitMs = this.#gate.waitMs(nowMs) || this.#options.limiter.take(nowMs, this.#usable)
      if (waitMs > 0) {
        this.#serveIn(waitMs)
        break
      }
      const waiter = waiters.shift()
      if (waiter !== undefined) this.#grant(waiter, nowMs)
    }
    // Being asked, the limiter may have found that there are no permits.
    this.#announce()
    this.#report()
  }

  /** Permits that could be used now: a closed gate has use for its probe only. */
  get #usable(): number {
    const places = this.#gate.closed === null ? this.#options.maxInFlight - this.#inFlight : 1
    return Math.min(places, this.#waitingCount)
  }

  #serveIn(waitMs: number): void {
    if (waitMs === Infinity) return
    this.#cancelTimer = this.#options.clock.after(Math.ceil(waitMs), () => this.#serve())
  }

  #grant(waiter: Waiter, nowMs: number): void {
    const { metrics } = this.#options
    const isProbe = this.#gate.started()
    this.#granted += 1
    this.#inFlight += 1
    metrics.permitGranted(waiter.priority, (nowMs - waiter.sinceMs) / 1000)
    waiter.resolve(new Granted(this.#desk, nowMs, isProbe))
  }

  #released(isProbe: boolean, result: CallResult, retryAfterMs: number | null): void {
    this.#inFlight -= 1
    const nowMs = this.#options.clock.monotonicMs()
    if (result.kind === 'throttled') this.#options.limiter.throttled(nowMs, retryAfterMs)
    this.#gate.report(result, isProbe, nowMs)
    this.#announce()
    this.#serve()
  }

  /** After whatever may open or close the gate, or change the reason: says so, once. */
  #announce(): void {
    const before = this.#announced
    const reason = this.closed
    if (reason === before) return
    this.#announced = reason
    const { metrics, log, limiter } = this.#options
    metrics.gate(reason)
    const detail = reason === 'quota-unavailable' ? limiter.unavailable : null
    if (reason === null) log.info('The gate is open again: calls go on.', { reason: before ?? 'none' })
    else log.error(`The gate is closed: ${EXPLAINED[reason]}`, { reason, ...(detail !== null && { detail }) })
  }

  /** The queue whose turn it is, its first waiter still wanted; null when nobody waits. */
  #next(): FairQueue<Waiter> | null {
    for (const priority of this.#order()) {
      const waiters = this.#waiting[priority]
      while (waiters.peek()?.wanted() === false) waiters.shift()?.resolve(null)
      if (waiters.length > 0) return waiters
    }
    return null
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

/** Where permits are reported back to. */
interface Desk {
  readonly starts: (takenMs: number) => boolean
  readonly released: (isProbe: boolean, result: CallResult, retryAfterMs: number | null) => void
}

class Granted implements Permit {
  readonly #desk: Desk
  readonly #takenMs: number
  readonly #isProbe: boolean
  #asked = false

  constructor(desk: Desk, takenMs: number, isProbe: boolean) {
    this.#desk = desk
    this.#takenMs = takenMs
    this.#isProbe = isProbe
  }

  starts(): boolean {
    this.#asked = true
    return this.#desk.starts(this.#takenMs)
  }

  release(result: CallResult, retryAfterMs: number | null = null): void {
    // What came to nothing before it was written counts all the same: who knows what the peer has seen of it.
    if (!this.#asked) this.starts()
    this.#desk.released(this.#isProbe, result, retryAfterMs)
  }
}

const PROBED = 'One probe at a time until it opens.'
const EXPLAINED: Readonly<Record<GateReason, string>> = {
  credentials: `the credentials, their rights or the clock are refused. Check the access key and its RAM policy. ${PROBED}`,
  account: `the account or the endpoint is refused. Check for overdue payments and CHECKRESULT_ENDPOINT. ${PROBED}`,
  'upstream-down': `the API does not answer. ${PROBED}`,
  'quota-unavailable': 'no permit of the quota can be had. Calls go on as soon as one can.',
  'dead-letter-brake':
    'too many of the last records would become dead letters. Is this version or the schema of the events a wrong one? Go back to the ' +
    'one before, or wait: after DEAD_LETTER_BRAKE_HOLD some more are let through.',
}
