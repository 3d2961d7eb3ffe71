/**
 * Why calls are paused: the circuit breaker, the quota, or the service itself. Each change is logged once and shown in the
 * metrics and on the status page.
 */
import type { ApiClock } from '../../core/calls/api-clock.ts'
import type { CircuitBreaker, CircuitReason } from '../../core/calls/circuit-breaker.ts'
import { printableCode } from '../../core/dead-letters/dead-letter.ts'
import type { Log, Metrics, RateLimiter } from '../../ports.ts'

export interface CallPausesOptions {
  readonly breaker: Pick<CircuitBreaker, 'opened' | 'openReason'>
  readonly limiter: Pick<RateLimiter, 'unavailable'>
  readonly metrics: Pick<Metrics, 'circuit'>
  readonly log: Pick<Log, 'info' | 'error'>
  /** Shows whether rejections are caused by our clock. */
  readonly apiClock?: Pick<ApiClock, 'description'>
}

/** Why the service itself pauses calls, in addition to the circuit breaker's own reasons. */
export type PauseReason = 'rebalance' | 'stopping' | 'dead-letter-limit' | 'clock'

/** Pauses that are shown as the reason of an open circuit breaker, most important first. */
const REPORTED_PAUSES = ['dead-letter-limit', 'clock'] as const satisfies readonly (PauseReason &
  CircuitReason)[]

export class CallPauses {
  readonly #options: CallPausesOptions
  /** Each reason has an optional message for the log. */
  readonly #pauses = new Map<PauseReason, string | null>()
  #announced: CircuitReason | null = null

  constructor(options: CallPausesOptions) {
    this.#options = options
  }

  /** Whether the service itself pauses calls. */
  get isPaused(): boolean {
    return this.#pauses.size > 0
  }

  get openReason(): CircuitReason | null {
    for (const pause of REPORTED_PAUSES) if (this.#pauses.has(pause)) return pause
    const { breaker, limiter } = this.#options
    return breaker.openReason ?? (limiter.unavailable === null ? null : 'quota-unavailable')
  }

  /** For the status page: `closed`, or `open` with the reason and the vendor's code. */
  get status(): string {
    const reason = this.openReason
    if (reason === null) return 'closed'
    const detail = this.#detail(reason)
    return `open, reason ${this.#describe(reason)}${detail === null ? '' : `: ${detail}`}`
  }

  add(why: PauseReason, detail: string | null): void {
    this.#pauses.set(why, detail)
    this.announce()
  }

  remove(why: PauseReason): void {
    this.#pauses.delete(why)
    this.announce()
  }

  /** Must be called after every change that may open or close the circuit breaker. Logs each change once. */
  announce(): void {
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
    const pause = this.#options.breaker.opened
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
}

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
