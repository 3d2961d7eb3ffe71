/** The system clock. */
import type { Clock } from '../ports.ts'

/** Node.js fires a timer with a longer delay immediately. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  epochMs: () => Date.now(),
  after: (delayMs, callback) => {
    let timer: NodeJS.Timeout
    const wait = (restMs: number): void => {
      timer =
        restMs > LONGEST_TIMER_MS
          ? setTimeout(() => wait(restMs - LONGEST_TIMER_MS), LONGEST_TIMER_MS)
          : setTimeout(callback, restMs)
    }
    wait(delayMs)
    return () => clearTimeout(timer)
  },
}
