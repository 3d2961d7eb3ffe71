/** The limiter that the settings ask for. */
import { RedisLimiter } from './adapters/quota/redis-limiter.ts'
import type { Config } from './config.ts'
import { TokenBucket, UNLIMITED } from './core/token-bucket.ts'
import type { Clock, Log, Metrics, RateLimiter } from './ports.ts'

export interface LimiterOptions {
  readonly config: Pick<Config, 'checkresult' | 'quota'>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

export interface Limiter {
  readonly limiter: RateLimiter
  /** Rejects with a sentence while what it counts with cannot be had. */
  ready(): Promise<void>
  stop(): void
}

const WINDOW_MS = 1_000

export function createLimiter({ config, clock, log, metrics }: LimiterOptions): Limiter {
  const { checkresult, quota } = config
  const { qps, burst: givenBurst, qpsGuardMs: guardMs } = checkresult
  if (qps === 'unlimited') return local(UNLIMITED)
  const burst = givenBurst ?? 1
  if (quota.mode === 'partition') {
    return local(new TokenBucket({ permits: qps, windowMs: WINDOW_MS + guardMs, burst }))
  }
  const limiter = new RedisLimiter({ ...quota, limit: qps, burst, guardMs, clock, log, metrics })
  return { limiter, ready: () => limiter.ready(), stop: () => limiter.stop() }
}

function local(limiter: RateLimiter): Limiter {
  return { limiter, ready: () => Promise.resolve(), stop: () => undefined }
}
