/** Asks a broker again while it says no more than "not now", with growing pauses and a bound. */
import type { Clock } from '../../ports.ts'
import { errorType } from './errors.ts'

export interface RetryPolicy {
  /** Error types that mean "not now"; anything else is the caller's at once. */
  readonly retriable: ReadonlySet<string>
  readonly maxTries: number
  readonly backOffMs: { readonly first: number; readonly max: number; readonly factor: number }
  readonly clock: Pick<Clock, 'after'>
}

/** Rejects as `request` did when that is final, or the last time. `meanwhile` comes after each pause. */
export async function retryRequest<T>(
  request: () => Promise<T>,
  { retriable, maxTries, backOffMs, clock }: RetryPolicy,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<T> {
  let delayMs = backOffMs.first
  for (let tries = 1; ; tries += 1) {
    try {
      return await request()
    } catch (error) {
      if (!retriable.has(errorType(error)) || tries === maxTries) throw error
    }
    const pauseMs = delayMs
    await new Promise<void>((resolve) => void clock.after(pauseMs, resolve))
    delayMs = Math.min(delayMs * backOffMs.factor, backOffMs.max)
    await meanwhile()
  }
}
