/** The wait before another attempt. It grows until an attempt succeeds. One attempt at a time. */
import type { Clock, Failure } from '../../ports.ts'

const FIRST_MS = 100
/**
 * For brokers that are unreachable or change leadership: frequent attempts recover quickly, and a refused connection
 * costs little.
 */
const MAX_TEMPORARY_MS = 1_000
/** For failures that need an operator: each attempt writes an abort marker and costs the brokers a transaction. */
const MAX_MS = 30_000

export class RetryTimer {
  readonly #clock: Pick<Clock, 'after'>
  #nextMs = FIRST_MS
  #cancel: (() => void) | null = null

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock
  }

  get isWaiting(): boolean {
    return this.#cancel !== null
  }

  start({ temporary }: Failure, attempt: () => void): void {
    const delayMs = Math.min(this.#nextMs, temporary ? MAX_TEMPORARY_MS : MAX_MS)
    this.#nextMs = delayMs * 2
    this.#cancel = this.#clock.after(delayMs, () => {
      this.#cancel = null
      attempt()
    })
  }

  /** An attempt has succeeded, or none is needed any more. */
  reset(): void {
    this.#cancel?.()
    this.#cancel = null
    this.#nextMs = FIRST_MS
  }
}
