/** Calls back after `delayMs`, and returns how to cancel that. */
interface Timer {
  after(delayMs: number, callback: () => void): () => void
}

/** A wait that can be ended early. One at a time. */
export class Pause {
  readonly #clock: Timer
  #end: () => void = () => undefined

  constructor(clock: Timer) {
    this.#clock = clock
  }

  /** Resolves after `delayMs`, or when {@link end} is called. */
  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(delayMs, resolve)
      this.#end = () => {
        cancel()
        resolve()
      }
    })
  }

  /** Does nothing if nobody waits. */
  end(): void {
    this.#end()
  }
}
