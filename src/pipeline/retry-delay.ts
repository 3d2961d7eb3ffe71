/** How long a lane waits before it claims its partition again. The delay grows until a commit succeeds. */
import type { Failure } from '../ports.ts'

const FIRST_MS = 100
/**
 * For brokers that are unreachable or change leadership: frequent attempts recover quickly, and a refused connection
 * costs little.
 */
const MAX_TEMPORARY_MS = 1_000
/** For failures that need an operator: each attempt writes an abort marker and costs the brokers a transaction. */
const MAX_MS = 30_000

export class RetryDelay {
  #nextMs = FIRST_MS

  /** The next delay in milliseconds. */
  next({ temporary }: Failure): number {
    const delayMs = Math.min(this.#nextMs, temporary ? MAX_TEMPORARY_MS : MAX_MS)
    this.#nextMs = delayMs * 2
    return delayMs
  }

  reset(): void {
    this.#nextMs = FIRST_MS
  }
}
