/**
 * Holds back dead letters if there are suspiciously many, so that a bad deployment does not move the whole topic to the
 * dead-letter topic. While tripped, no calls start (the circuit breaker is open, reason `dead-letter-limit`), lanes
 * fill up and partitions pause. After the cooldown it lets records through and trips again if they are no better, which
 * bounds the number of dead letters over time. A restart, for example with a fixed version, starts counting again, and
 * nothing that was held back has been written.
 *
 * Lanes ask right before they commit, in the order of their partitions. In the order of completion, records that need
 * no call would come first, and after a start one bad record in a hundred would look like nothing but bad ones.
 */
import { DeadLetterRule } from '../../core/dead-letters/dead-letter-rule.ts'
import type { Clock } from '../../ports.ts'
import type { Counts } from '../record/outputs.ts'
import type { PermitQueue } from '../calls/permit-queue.ts'

export interface DeadLetterLimitOptions {
  /** The allowed fraction of the last 100 records; null switches the limit off. */
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
   * Whether a record may be committed. Must be asked until it may; if it may not, `retry` is called after the cooldown.
   * Only results and dead letters count, because duplicates and deferrals do not show whether records can be processed.
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

  /** The records that waited are counted now, and a few of them may trip the limit again for the rest. */
  #endCooldown(): void {
    this.#isTripped = false
    this.#options.permits.resume(REASON)
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const retry of waiting) retry()
  }
}
