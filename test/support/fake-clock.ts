import type { Clock } from '../../src/ports.ts'

interface Timer {
  readonly dueMs: number
  readonly callback: () => void
}

/** Lets everything that waits for promises alone go on to where it waits for something else. */
export function flushPromises(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}

/** Moves only when told. The two clocks begin far apart, so that one taken for the other shows. */
export class FakeClock implements Clock {
  readonly startEpochMs: number
  #nowMs = 0
  #jumpedMs = 0
  readonly #timers = new Set<Timer>()

  constructor(startEpochMs = Date.UTC(2026, 0, 1)) {
    this.startEpochMs = startEpochMs
  }

  /** Timers that are set and neither fired nor cancelled. */
  get timers(): number {
    return this.#timers.size
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  epochMs(): number {
    return this.startEpochMs + this.#nowMs + this.#jumpedMs
  }

  /** The wall clock is put forward, or back, as the operator or NTP may do; no timer notices. */
  jump(byMs: number): void {
    this.#jumpedMs += byMs
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), callback }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** Fires what falls due on the way, in order, and lets the consequences of each happen before the next. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs
    await flushPromises()
    for (let next = this.#nextUntil(untilMs); next !== undefined; next = this.#nextUntil(untilMs)) {
      this.#nowMs = next.dueMs
      this.#timers.delete(next)
      next.callback()
      await flushPromises()
    }
    this.#nowMs = untilMs
  }

  #nextUntil(untilMs: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.dueMs <= untilMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer
    }
    return next
  }
}
