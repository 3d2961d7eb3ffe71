/** Runs actions in order, each after a random delay of up to the given time; without a delay, immediately. */
export class Delay {
  readonly #maxMs: number
  readonly #waiting: { readonly act: () => void; readonly dueMs: number }[] = []
  #lastDueMs = 0

  constructor(maxMs: number) {
    this.#maxMs = maxMs
  }

  pass(act: () => void): void {
    if (this.#maxMs === 0) {
      act()
      return
    }
    this.#lastDueMs = Math.max(this.#lastDueMs, performance.now() + Math.random() * this.#maxMs)
    this.#waiting.push({ act, dueMs: this.#lastDueMs })
    if (this.#waiting.length === 1) this.#arm()
  }

  #arm(): void {
    const [next] = this.#waiting
    if (next === undefined) return
    // Rounded down because timers fire late anyway, and the delay must not exceed the given time.
    setTimeout(() => this.#release(), Math.floor(Math.max(0, next.dueMs - performance.now())))
  }

  #release(): void {
    this.#waiting.shift()?.act()
    this.#arm()
  }
}
