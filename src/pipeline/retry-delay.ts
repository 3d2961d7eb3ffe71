/** How long a lane waits before it claims its partition again: longer each time, until a commit goes through. */
import type { Failure } from '../ports.ts'

const FIRST_MS = 100
/** While brokers are away or take over from each other: whoever asks often is back soon, and a refused connection costs little. */
const MAX_PASSING_MS = 1_000
/** For what does not end by itself: each try leaves an abort marker in the log and costs the brokers a transaction. */
const MAX_MS = 30_000

export class RetryDelay {
  #nextMs = FIRST_MS

  /** Milliseconds to wait this time. */
  next({ passing }: Failure): number {
    const delayMs = Math.min(this.#nextMs, passing ? MAX_PASSING_MS : MAX_MS)
    this.#nextMs = delayMs * 2
    return delayMs
  }

  reset(): void {
    this.#nextMs = FIRST_MS
  }
}
