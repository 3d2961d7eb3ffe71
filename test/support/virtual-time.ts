/**
 * Virtual time that jumps from event to event. Events of the same moment run in the order in which they were added.
 */
export class VirtualTime {
  #nowMs = 0
  #made = 0
  #events: { readonly atMs: number; readonly order: number; readonly run: () => void }[] = []

  get nowMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, run: () => void): void {
    const event = { atMs: this.#nowMs + Math.max(0, delayMs), order: (this.#made += 1), run }
    const at = this.#events.findIndex(({ atMs }) => atMs > event.atMs)
    if (at < 0) this.#events.push(event)
    else this.#events.splice(at, 0, event)
  }

  runUntil(untilMs: number): void {
    for (let next = this.#events[0]; next !== undefined && next.atMs <= untilMs; next = this.#events[0]) {
      this.#events.shift()
      this.#nowMs = next.atMs
      next.run()
    }
    this.#nowMs = untilMs
  }
}

/**
 * The maximum number of times within any span of this length. Both are in milliseconds, and `times` must be sorted.
 */
export function maxWithin(times: readonly number[], spanMs: number): number {
  let max = 0
  let first = 0
  for (const [last, time] of times.entries()) {
    while ((times[first] ?? time) <= time - spanMs) first += 1
    max = Math.max(max, last - first + 1)
  }
  return max
}
