/**
 * Keys that expire, renewed ahead of that in the background: callers wait for the first ones only, and after a refusal.
 * One exchange at a time, however many wait for it.
 *
 * Either keys are known to be valid by their expiry and used, or there are none: what has expired is never handed out,
 * though renewing fails. Keys still valid stay in use meanwhile. Nothing here throws or rejects.
 */
import { safeError } from '../../core/safe-error.ts'
import type { Clock, Log, Metrics } from '../../ports.ts'
import type { CredentialProvider } from './credential-provider.ts'
import type { Credentials } from './sign-v3.ts'

export interface ExpiringCredentials {
  readonly credentials: Credentials
  /** Infinity where the source does not say. */
  readonly expiresAtMs: number
}

export interface RenewalOptions {
  /** One exchange with the source, keeping nothing from one to the next. Rejects when it fails. */
  readonly obtain: () => Promise<ExpiringCredentials>
  /** For the log: what to check when it fails. */
  readonly advice: string
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'credentialRefresh' | 'credentialsExpire'>
}

/** The vendor's own lead; keys that live shorter are renewed with a third of their life left. */
const AHEAD_MS = 15 * 60_000
/** Keys without an expiry may have been changed at their source: it is asked again when they are used after this. */
const RECHECK_MS = 60_000
const SOONEST_MS = 1_000
const RETRY_MS = { first: 5_000, max: 60_000 } as const
/** The library's time-outs do not cover all of an exchange; who waits for it must not wait for ever. */
const FETCH_TIMEOUT_MS = 20_000

export class RenewedCredentials implements CredentialProvider {
  readonly #options: RenewalOptions
  #current: ExpiringCredentials | null = null
  #renewAtMs = 0
  #renewing: Promise<void> | null = null
  /** The API refused what is at hand. */
  #suspect = false
  #retryMs: number = RETRY_MS.first
  /** Each state is logged once. */
  #state: 'starting' | 'renewed' | 'renewal fails' | 'none' = 'starting'
  #cancelTimer: (() => void) | null = null
  #closed = false

  /** Asks for the first keys at once: what is wrong shows at the start, not with the first record. */
  constructor(options: RenewalOptions) {
    this.#options = options
    void this.#renew()
  }

  current(): Credentials | null | Promise<Credentials | null> {
    const credentials = this.#valid()
    if (credentials === null || this.#suspect) return this.#renew().then(() => this.#valid())
    if (this.#options.clock.epochMs() >= this.#renewAtMs) void this.#renew()
    return credentials
  }

  refused(credentials: Credentials): void {
    // Calls signed before the last renewal say nothing about the keys it brought.
    if (credentials === this.#current?.credentials) this.#suspect = true
  }

  close(): void {
    this.#closed = true
    this.#cancelTimer?.()
  }

  #valid(): Credentials | null {
    const fetched = this.#current
    return fetched !== null && this.#options.clock.epochMs() < fetched.expiresAtMs
      ? fetched.credentials
      : null
  }

  #renew(): Promise<void> {
    this.#renewing ??= this.#fetch().finally(() => {
      this.#renewing = null
      this.#suspect = false
    })
    return this.#renewing
  }

  async #fetch(): Promise<void> {
    const { obtain, clock } = this.#options
    try {
      const fetched = await within(FETCH_TIMEOUT_MS, clock, obtain())
      const remainingMs = fetched.expiresAtMs - clock.epochMs()
      if (remainingMs > 0) this.#renewed(fetched, remainingMs)
      else this.#failed('expired-at-source')
    } catch (error) {
      const { code, errorType } = safeError(error)
      this.#failed(code ?? errorType)
    }
  }

  #renewed(fetched: ExpiringCredentials, remainingMs: number): void {
    const { log, metrics } = this.#options
    this.#current = fetched
    this.#retryMs = RETRY_MS.first
    metrics.credentialRefresh('ok')
    if (this.#state === 'renewal fails' || this.#state === 'none') log.info('Credentials can be had again.')
    this.#state = 'renewed'
    if (remainingMs === Infinity) {
      metrics.credentialsExpire(null)
      this.#renewAtMs = this.#options.clock.epochMs() + RECHECK_MS
      this.#cancelTimer?.()
    } else {
      metrics.credentialsExpire(fetched.expiresAtMs)
      this.#renewIn(Math.max(SOONEST_MS, remainingMs - Math.min(AHEAD_MS, remainingMs / 3)))
    }
  }

  #failed(code: string): void {
    const { log, metrics, advice } = this.#options
    metrics.credentialRefresh('failed')
    const state = this.#valid() === null ? 'none' : 'renewal fails'
    if (state !== this.#state) {
      this.#state = state
      // The library's messages hold addresses and answers: nothing of an error is told but its code.
      if (state === 'none') {
        log.error(`No Alibaba Cloud credentials are to be had, and calls wait: ${advice}.`, { code })
      } else {
        log.warn(`Renewing the Alibaba Cloud credentials fails; the valid ones are used on: ${advice}.`, {
          code,
        })
      }
    }
    this.#renewIn(this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS.max)
  }

  #renewIn(delayMs: number): void {
    const { clock } = this.#options
    this.#renewAtMs = clock.epochMs() + delayMs
    this.#cancelTimer?.()
    if (!this.#closed) this.#cancelTimer = clock.after(delayMs, () => void this.#renew())
  }
}

function within<T>(deadlineMs: number, clock: Clock, pending: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(deadlineMs, () => reject(new DeadlineError('The exchange took too long.')))
    pending.finally(cancel).then(resolve, reject)
  })
}

class DeadlineError extends Error {
  readonly code = 'timeout'
}
