/** The request to stop, and pauses that it ends early. */
import type { Clock } from '../ports.ts'

export class Stopping {
  readonly #clock: Pick<Clock, 'after'>
  readonly #requested = Promise.withResolvers<undefined>()
  #isStopped = false
  #wake: () => void = () => undefined

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
    this.#wake()
  }

  /**
   * Resolves after `delayMs`, or early if the service stops. One pause at a time. It does not wait for `requested`, which
   * would keep something of each pause of a long outage in memory.
   */
  async pause(delayMs: number): Promise<void> {
    if (this.#isStopped) return
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(delayMs, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
  }
}
