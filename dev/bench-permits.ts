/**
 * `node dev/bench-permits.ts`: measures the cost of a permit in partition mode and with a Redis on the same machine.
 * `--save` saves the figures in bench/permits.jsonl and updates docs/benchmarks.md.
 */
import { RedisLimiter } from '../src/adapters/quota/redis-limiter.ts'
import { systemClock as clock } from '../src/adapters/system-clock.ts'
import { Secret } from '../src/config/secret.ts'
import { PartitionQuota } from '../src/pipeline/calls/partition-quota.ts'
import { PermitQueue } from '../src/pipeline/calls/permit-queue.ts'
import { writeMeasuredPages } from './generate-benchmarks.ts'
import { keepRun, originOf } from './measurements.ts'
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
  circuit: NOTHING,
}
const log = { info: NOTHING, warn: NOTHING, error: NOTHING }
const settings = { url: new Secret(redis.url), ca: null, key: 'bench', guardMs: 20 }
// No call waits for a slot, so this measures only the request for one.
const limiter = new RedisLimiter({ ...settings, limit: 100_000, burst: 10_000, clock, log, metrics })
const throughRedis = new PermitQueue({ limiter, maxInFlight: 1_000, clock, metrics, log })
// The share is large enough that no call waits for it.
const MANY = 100 * PERMITS
const share = new PartitionQuota({ permits: MANY, windowMs: 1_020, burst: MANY, leaseMs: Infinity, clock })
const byPartition = new PermitQueue({ limiter: share, maxInFlight: 1_000, clock, metrics, log })

async function permit(queue: PermitQueue): Promise<void> {
  const taken = await queue.acquire('fresh', 'input:0', () => true)
  taken?.confirm()
  taken?.release({ kind: 'final' })
}

const permits: { how: string; cpuUs: number }[] = []

async function measure(how: string, value: 'median' | 'mean', work: () => Promise<number>): Promise<void> {
  const before = process.cpuUsage()
  const waitedMs = await work()
  const { user, system } = process.cpuUsage(before)
  const cpuUs = Number(((user + system) / PERMITS).toFixed(1))
  permits.push({ how, cpuUs })
  process.stdout.write(
    `${how}: ${waitedMs.toFixed(3)} ms a permit (${value}), ${cpuUs} µs CPU of this process\n`,
  )
}

async function oneByOne(queue: PermitQueue): Promise<number> {
  const times: number[] = []
  for (let at = 0; at < PERMITS; at += 1) {
    const startMs = performance.now()
    await permit(queue)
    times.push(performance.now() - startMs)
  }
  return times.sort((one, other) => one - other)[PERMITS / 2] ?? Number.NaN
}

share.assigned({
  generation: 1,
  share: MANY,
  sent: { monotonicMs: clock.monotonicMs(), epochMs: clock.epochMs() },
})
// The first permit waits until the share applies; the others give the compiler time to optimize.
for (let at = 0; at < PERMITS; at += 1) await permit(byPartition)
await measure('by partition, one at a time', 'median', () => oneByOne(byPartition))
await permit(throughRedis)
await measure('through Redis, one at a time', 'median', () => oneByOne(throughRedis))
await measure('through Redis, a hundred at a time', 'mean', async () => {
  const startMs = performance.now()
  for (let at = 0; at < PERMITS; at += 100)
    await Promise.all(Array.from({ length: 100 }, () => permit(throughRedis)))
  return (performance.now() - startMs) / PERMITS
})
limiter.stop()
await redis.stop()
if (process.argv.includes('--save')) {
  keepRun('permits', { ...originOf('node dev/bench-permits.ts'), permits })
  await writeMeasuredPages()
}
