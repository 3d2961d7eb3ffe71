/** A Redis of the test's own, and what a program of another make sees of it. */
import { onTestFinished } from 'vitest'
import { startRedis, type LocalRedis, type RedisOptions } from '../../dev/stack/redis.ts'
import { connectRedis, type RedisConnection } from '../../src/adapters/quota/connection.ts'
import { systemClock } from '../../src/adapters/system-clock.ts'

export async function redisForTest(options: RedisOptions = {}): Promise<LocalRedis> {
  const redis = await startRedis(options)
  onTestFinished(redis.stop)
  return redis
}

/** One more client, to be closed with the test. */
export async function clientOf(url: string): Promise<RedisConnection> {
  const client = await connectRedis({ url: () => url, ca: () => null, clock: systemClock })
  onTestFinished(() => client.close())
  return client
}

/** Most of the times within any window, its end left out. */
export function maxWithin(times: readonly number[], windowMs: number): number {
  const sorted = times.toSorted((one, other) => one - other)
  let from = 0
  return sorted.reduce((max, time, at) => {
    while ((sorted[from] ?? time) <= time - windowMs) from += 1
    return Math.max(max, at - from + 1)
  }, 0)
}
