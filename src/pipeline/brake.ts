/**
 * Holds dead letters back when there are suspiciously many of them, so that a bad deploy does not empty the topic into
 * the dead-letter topic. While it holds, no call starts (the gate is closed for `dead-letter-brake`), lanes fill and
 * partitions pause. After `holdMs` it lets go by itself, and holds again when the next ones are no better: what gets
 * through is bounded by the time. A restart, that of the better deploy above all, begins anew, and nothing held back has
 * been written.
 */
import { DeadLetterRule } from '../core/dead-letter-rule.ts'
import type { DeadLetterReason } from '../core/dead-letter.ts'
import type { Clock } from '../ports.ts'
import type { PermitQueue } from './permit-queue.ts'

export interface BrakeOptions {
  /** Of the last hundred records; null never holds. */
  readonly share: number | null
  readonly holdMs: number
  readonly permits: PermitQueue
  readonly clock: Clock
}

interface Waiter {
  readonly reason: DeadLetterReason
  readonly wanted: () => boolean
  readonly resolve: (goesOn: boolean) => void
}

const REASON = 'dead-letter-brake'

export class Brake {
  readonly #options: BrakeOptions
  readonly #rule: DeadLetterRule | null
  #waiting: Waiter[] = []
  #holds = false

  constructor(options: BrakeOptions) {
    this.#options = options
    this.#rule = options.share === null ? null : new DeadLetterRule(options.share)
  }

  /** A record has ended as anything but a dead letter. */
  settled(): void {
    this.#rule?.settled()
  }

  /** A record is about to become a dead letter. Resolves to true when it may, to false when nobody wants it any more. */
  deadLetter(reason: DeadLetterReason, wanted: () => boolean): Promise<boolean> | true {
    if (this.#passes(reason)) return true
    return new Promise((resolve) => void this.#waiting.push({ reason, wanted, resolve }))
  }

  /** Sends those away whom nobody wants any more. */
  sweep(): void {
    const waiting = this.#waiting
    this.#waiting = waiting.filter(({ wanted }) => wanted())
    for (const { wanted, resolve } of waiting) if (!wanted()) resolve(false)
  }

  #passes(reason: DeadLetterReason): boolean {
    if (!this.#holds && this.#rule?.deadLettered(reason) === true) this.#hold()
    return !this.#holds
  }

  #hold(): void {
    const { permits, clock, holdMs } = this.#options
    this.#holds = true
    permits.hold(REASON)
    clock.after(holdMs, () => this.#letGo())
  }

  /** Those that waited are counted now: a few of them may close it again for the rest. */
  #letGo(): void {
    this.#holds = false
    this.#options.permits.resume(REASON)
    const waiting = this.#waiting
    this.#waiting = []
    for (const waiter of waiting) {
      const { reason, wanted, resolve } = waiter
      if (!wanted()) resolve(false)
      else if (this.#passes(reason)) resolve(true)
      else this.#waiting.push(waiter)
    }
  }
}
