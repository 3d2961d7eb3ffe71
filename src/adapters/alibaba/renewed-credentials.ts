/**
 * Keeps credentials that expire, and renews them in the background before they do. Callers wait only for the first
 * ones and after a rejection, and there is never more than one fetch at a time.
 *
 * Credentials are returned only until they expire, even if renewing fails. Nothing here throws or rejects.
 */
import { safeError } from '../../core/safe-error.ts'
import type { Clock, Log, Metrics } from '../../ports.ts'
import type { CredentialProvider } from './credential-provider.ts'
import type { Credentials } from './sign-v3.ts'

export interface ExpiringCredentials {
  readonly credentials: Credentials
  /** Infinity if the source reports no expiry. */
  readonly expiresAtMs: number
}

export interface RenewalOptions {
  /** Fetches from the source once, without any cache. Rejects on failure. */
  readonly obtain: () => Promise<ExpiringCredentials>
  /** For the log: where the credentials come from. */
  readonly source: string
  /** For the log: advice if it fails, ending with a period. */
  readonly advice: string
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'credentialRefresh' | 'credentialsExpire'>
}

/**
 * The vendor renews this long before the expiry. Keys with a shorter lifetime are renewed when a third of it is
 * left.
 */
const AHEAD_MS = 15 * 60_000
/**
 * Keys without an expiry may change at their source, so they are fetched again if they are used after this time.
 */
const RECHECK_MS = 60_000
const SOONEST_MS = 1_000
const RETRY_MS = { first: 5_000, max: 60_000 } as const
/** The library's timeouts do not cover the whole fetch, and callers must not wait forever. */
const FETCH_TIMEOUT_MS = 20_000

export class RenewedCredentials implements CredentialProvider {
  readonly #options: RenewalOptions
  #current: ExpiringCredentials | null = null
  #renewAtMs = 0
  #renewing: Promise<void> | null = null
  /** The API rejected the current credentials. */
  #suspect = false
  #retryMs: number = RETRY_MS.first
  /** Each change of state is logged once. */
  #state: 'starting' | 'renewed' | 'renewal fails' | 'none' = 'starting'
  #cancelTimer: (() => void) | null = null
  #closed = false

  /**
   * Fetches the first credentials at once, so that a wrong setting shows at startup and not with the first record.
   */
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
    // A call signed before the last renewal says nothing about the current credentials.
    if (credentials !== this.#current?.credentials) return
    this.#suspect = true
    this.#options.log.debug?.(
      'The API rejected the Alibaba Cloud credentials. They are fetched again before the next call.',
    )
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
    const { log, metrics, source } = this.#options
    this.#current = fetched
    this.#retryMs = RETRY_MS.first
    metrics.credentialRefresh('ok')
    log.debug?.(
      'The Alibaba Cloud credentials are renewed. The duration is their lifetime, if they expire.',
      {
        ...(remainingMs !== Infinity && { durationMs: remainingMs }),
      },
    )
    if (this.#state === 'renewal fails' || this.#state === 'none') {
      log.info(`Obtained Alibaba Cloud credentials from ${source} again.`)
    }
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
    const { log, metrics, source, advice } = this.#options
    metrics.credentialRefresh('failed')
    log.debug?.(
      'Renewing the Alibaba Cloud credentials failed. The duration is the time to the next attempt.',
      {
        code,
        durationMs: this.#retryMs,
      },
    )
    const state = this.#valid() === null ? 'none' : 'renewal fails'
    if (state !== this.#state) {
      this.#state = state
      // The library's messages contain addresses and responses, so only the error's code is logged.
      if (state === 'none') {
        log.error(
          `Cannot obtain Alibaba Cloud credentials from ${source}. Calls are paused, and the service keeps trying. ${advice}`,
          { code },
        )
      } else {
        log.warn(
          `Cannot renew the Alibaba Cloud credentials from ${source}. The current ones are used until they expire, and the service keeps trying. ${advice}`,
          { code },
        )
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
    const cancel = clock.after(deadlineMs, () =>
      reject(new DeadlineError('Fetching the credentials took too long.')),
    )
    pending.finally(cancel).then(resolve, reject)
  })
}

class DeadlineError extends Error {
  readonly code = 'timeout'
}
