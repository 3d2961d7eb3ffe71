/** The request to stop, and pauses that it ends early. */
import type { Clock } from '../ports.ts'

export class Stopping {
  readonly #clock: Pick<Clock, 'after'>
  readonly #requested = Promise.withResolvers<undefined>()
  #isStopped = false

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock
  }

  get isStopped(): boolean {
    return this.#isStopped
  }

  /** Resolves when the service is to stop. */
  get requested(): Promise<undefined> {
    return this.#requested.promise
  }

  stop(): void {
    this.#isStopped = true
    this.#requested.resolve(undefined)
  }

  /** Resolves after `delayMs`, or early if the service stops. */
  async pause(delayMs: number): Promise<void> {
    const over = Promise.withResolvers<undefined>()
    const cancel = this.#clock.after(delayMs, () => over.resolve(undefined))
    await Promise.race([over.promise, this.requested])
    cancel()
  }
}
