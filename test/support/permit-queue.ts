/** A permit queue on a fake clock. Records when it granted permits. */
import type { CallResult } from '../../src/core/calls/circuit-breaker.ts'
import type { Blame, RefusedRecord } from '../../src/core/calls/refusals.ts'
import { TokenBucket, UNLIMITED } from '../../src/core/quota/token-bucket.ts'
import type { CallTicket } from '../../src/core/calls/call-ticket.ts'
import { PermitQueue, type PermitQueueOptions } from '../../src/pipeline/calls/permit-queue.ts'
import type { Priority } from '../../src/ports.ts'
import { FakeClock } from './fake-clock.ts'
import { fakeLog, fakeMetrics } from './fakes.ts'

export const ANSWERED: CallResult = { kind: 'final' }
export const REFUSED: CallResult = { kind: 'blocked', reason: 'credentials', code: 'Forbidden' }

export function throttled(retryAfterMs: number | null = null): CallResult {
  return { kind: 'throttled', code: 'Throttling.User', retryAfterMs }
}

export function queueWith(changes: Partial<PermitQueueOptions> = {}) {
  const clock = new FakeClock()
  const metrics = fakeMetrics()
  const log = fakeLog()
  const queue = new PermitQueue({ limiter: UNLIMITED, maxInFlight: 1_000, clock, metrics, log, ...changes })
  const granted: { name: string; ticket: CallTicket | null; atMs: number }[] = []
  const ask = (
    name: string,
    priority: Priority = 'fresh',
    wanted = (): boolean => true,
    wasRefused = false,
  ): void => {
    void queue.acquire(priority, 'in:0', wanted, wasRefused).then((ticket) => {
      ticket?.confirm()
      granted.push({ name, ticket, atMs: clock.monotonicMs() })
    })
  }
  const release = (result: CallResult, record?: RefusedRecord): Blame | undefined =>
    granted.at(-1)?.ticket?.release(result, record)
  return { queue, clock, metrics, log, granted, ask, release, names: () => granted.map(({ name }) => name) }
}

/** Ten calls in any second, one at a time. */
export function limited(): TokenBucket {
  return new TokenBucket({ permits: 10, windowMs: 1_000, burst: 1 })
}
