/** Polls for conditions that send no notification. */
import { setTimeout as delay } from 'node:timers/promises'

const POLL_MS = 50

/** Resolves when the condition holds. Rejects with `what` if that takes too long. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  { what, timeoutMs }: { what: () => string | Promise<string>; timeoutMs: number },
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${await what()} after ${timeoutMs / 1000} s.`)
    await delay(POLL_MS)
  }
}
