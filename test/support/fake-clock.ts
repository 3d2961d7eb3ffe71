import type { Clock } from '../../src/ports.ts'

interface Timer {
  readonly dueMs: number
  readonly callback: () => void
}

/** Runs everything that waits only for promises. */
export function flushPromises(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}

/** A clock that moves only when told to. Wall time and monotonic time start far apart, so that a mix-up shows. */
export class FakeClock implements Clock {
  readonly startEpochMs: number
  #nowMs = 0
  #jumpedMs = 0
  readonly #timers = new Set<Timer>()

  constructor(startEpochMs = Date.UTC(2026, 0, 1)) {
    this.startEpochMs = startEpochMs
  }

  /** Number of pending timers. */
  get timers(): number {
    return this.#timers.size
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  epochMs(): number {
    return this.startEpochMs + this.#nowMs + this.#jumpedMs
  }

  /** Sets the wall clock forward or back, as an operator or NTP may do. Timers are not affected. */
  jump(byMs: number): void {
    this.#jumpedMs += byMs
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), callback }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** Fires due timers in order and flushes promises after each one. */
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
