/** `node dev/bench-redis.ts`: what a permit costs through Redis, with a Redis beside it; printed, not kept. */
import { RedisLimiter } from '../src/adapters/quota/redis-limiter.ts'
import { systemClock as clock } from '../src/adapters/system-clock.ts'
import { Secret } from '../src/config/secret.ts'
import { PermitQueue } from '../src/pipeline/permit-queue.ts'
import { startRedis } from './stack/redis.ts'

const PERMITS = 2_000
const NOTHING = (): undefined => undefined

const redis = await startRedis()
const metrics = {
  quota: NOTHING,
  slotsWasted: NOTHING,
  permitGranted: NOTHING,
  permitsWaiting: NOTHING,
  inFlight: NOTHING,
  gate: NOTHING,
}
const log = { info: NOTHING, warn: NOTHING, error: NOTHING }
const settings = { url: new Secret(redis.url), ca: null, key: 'bench', guardMs: 20 }
// No slot is waited for: what is measured is the asking.
const limiter = new RedisLimiter({ ...settings, limit: 100_000, burst: 10_000, clock, log, metrics })
const queue = new PermitQueue({ limiter, maxInFlight: 1_000, clock, metrics, log })

async function permit(): Promise<void> {
  const taken = await queue.acquire('fresh', 'input:0', () => true)
  taken?.starts()
  taken?.release({ kind: 'answered' })
}

async function measure(name: string, work: () => Promise<number>): Promise<void> {
  const before = process.cpuUsage()
  const waitedMs = await work()
  const { user, system } = process.cpuUsage(before)
  const cpuUs = Math.round((user + system) / PERMITS)
  process.stdout.write(`${name}: ${waitedMs.toFixed(2)} ms a permit, ${cpuUs} µs CPU of this process\n`)
}

await permit()
await measure('one at a time, median', async () => {
  const times: number[] = []
  for (let at = 0; at < PERMITS; at += 1) {
    const startMs = performance.now()
    await permit()
    times.push(performance.now() - startMs)
  }
  return times.sort((one, other) => one - other)[PERMITS / 2] ?? Number.NaN
})
await measure('a hundred at a time, mean', async () => {
  const startMs = performance.now()
  for (let at = 0; at < PERMITS; at += 100) await Promise.all(Array.from({ length: 100 }, permit))
  return (performance.now() - startMs) / PERMITS
})
limiter.stop()
await redis.stop()
