/** Does things in the order they are passed, each up to so much later, by chance; with nothing to wait for, at once. */
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
    // Rounded down, for timers are late as it is: no more may be added than was said.
    setTimeout(() => this.#release(), Math.floor(Math.max(0, next.dueMs - performance.now())))
  }

  #release(): void {
    this.#waiting.shift()?.act()
    this.#arm()
  }
}
