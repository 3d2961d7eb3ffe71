/** The request to stop, and pauses that it ends early. */
import { Pause } from '../core/pause.ts'
import type { Clock } from '../ports.ts'

export class Stopping {
  readonly #pause: Pause
  readonly #requested = Promise.withResolvers<undefined>()
  #isStopped = false

  constructor(clock: Pick<Clock, 'after'>) {
    this.#pause = new Pause(clock)
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
    this.#pause.end()
  }

  /**
   * Resolves after `delayMs`, or early if the service stops. It does not wait for `requested`, which would keep something of
   * each pause of a long outage in memory.
   */
  async pause(delayMs: number): Promise<void> {
    if (!this.#isStopped) await this.#pause.wait(delayMs)
  }
}
