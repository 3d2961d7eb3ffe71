/**
 * Holds dead letters back when there are suspiciously many of them, so that a bad deploy does not empty the topic into
 * the dead-letter topic. While it is tripped, no call starts (the circuit breaker is open, reason `dead-letter-limit`), lanes fill and
 * partitions pause. After `cooldownMs` it lets go by itself, and trips again when the next ones are no better: what gets
 * through is bounded by the time. A restart, that of the better deploy above all, begins anew, and nothing held back has
 * been written.
 *
 * Lanes ask right before they commit, record by record in the order of their partitions. By the order in which records end,
 * those that need no call come first: after a start one bad record in a hundred would look like nothing but bad ones.
 */
import { DeadLetterRule } from '../core/dead-letter-rule.ts'
import type { Clock } from '../ports.ts'
import type { Counts } from './outputs.ts'
import type { PermitQueue } from './permit-queue.ts'

export interface DeadLetterLimitOptions {
  /** Of the last hundred records; null never trips. */
  readonly share: number | null
  readonly cooldownMs: number
  readonly permits: Pick<PermitQueue, 'pause' | 'resume'>
  readonly clock: Pick<Clock, 'after'>
}

const REASON = 'dead-letter-limit'

export class DeadLetterLimit {
  readonly #options: DeadLetterLimitOptions
  readonly #rule: DeadLetterRule | null
  readonly #waiting = new Set<() => void>()
  #isTripped = false

  constructor(options: DeadLetterLimitOptions) {
    this.#options = options
    this.#rule = options.share === null ? null : new DeadLetterRule(options.share)
  }

  /**
   * Whether a record may be committed; to be asked until it may. If it may not, `retry` is called when the cooldown is over.
   * Only results and dead letters count: a repeat or a deferral says nothing about whether records can be processed.
   */
  allows(counts: Counts, retry: () => void): boolean {
    if (counts.kind === 'result') this.#rule?.addResult()
    if (counts.kind !== 'dead-letter') return true
    if (!this.#isTripped && this.#rule?.addDeadLetter(counts.reason) === true) this.#trip()
    if (this.#isTripped) this.#waiting.add(retry)
    return !this.#isTripped
  }

  #trip(): void {
    const { permits, clock, cooldownMs } = this.#options
    this.#isTripped = true
    permits.pause(REASON)
    clock.after(cooldownMs, () => this.#endCooldown())
  }

  /** Those that waited are counted now: a few of them may close it again for the rest. */
  #endCooldown(): void {
    this.#isTripped = false
    this.#options.permits.resume(REASON)
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const retry of waiting) retry()
  }
}
