/** A separate Redis for the test, with a client that is not the service's. */
import { onTestFinished } from 'vitest'
import { startRedis, type LocalRedis, type RedisOptions } from '../../dev/stack/redis.ts'
import { connectRedis, type RedisConnection } from '../../src/adapters/quota/connection.ts'
import { systemClock } from '../../src/adapters/system-clock.ts'

export async function redisForTest(options: RedisOptions = {}): Promise<LocalRedis> {
  const redis = await startRedis(options)
  onTestFinished(redis.stop)
  return redis
}

/** Another client, closed after the test. */
export async function clientOf(url: string): Promise<RedisConnection> {
  const client = await connectRedis({ url: () => url, ca: () => null, clock: systemClock })
  onTestFinished(() => client.close())
  return client
}

/** The maximum number of times within any window. The end of the window is excluded. */
export function maxWithin(times: readonly number[], windowMs: number): number {
  const sorted = times.toSorted((one, other) => one - other)
  let from = 0
  return sorted.reduce((max, time, at) => {
    while ((sorted[from] ?? time) <= time - windowMs) from += 1
    return Math.max(max, at - from + 1)
  }, 0)
}
