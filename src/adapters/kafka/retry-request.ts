/** Retries a request to a broker while its error is retriable, with growing pauses and a limited number of tries. */
import type { Clock } from '../../ports.ts'
import { errorType } from './errors.ts'

export interface RetryPolicy {
  /** Error types after which the request is retried; it rejects at once with any other. */
  readonly retriable: ReadonlySet<string>
  readonly maxTries: number
  readonly backOffMs: { readonly first: number; readonly max: number; readonly factor: number }
  readonly clock: Pick<Clock, 'after'>
}

/** Rejects with an error that is not retriable, or with that of the last try. `meanwhile` is called after each pause. */
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
