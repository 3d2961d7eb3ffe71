import { expect, test } from 'vitest'
import { TokenBucket } from '../../../../src/core/quota/token-bucket.ts'
import { PermitQueue } from '../../../../src/pipeline/calls/permit-queue.ts'
import type { ProcessRecord } from '../../../../src/pipeline/record/process-record.ts'
import { PRIORITIES, type Priority } from '../../../../src/ports.ts'
import { FakeClock, flushPromises } from '../../../support/fake-clock.ts'
import { FakeShard } from '../../../support/fake-shard.ts'
import { fakeLog, fakeMetrics, inputRecord } from '../../../support/fakes.ts'
import { firstOffsets, shardsWith } from '../../../support/shard-bed.ts'

const CALL_MS = 500
const SECONDS = 6

interface Backlog {
  readonly inputs: number
  readonly retries: number
  /** The first records of each input partition, up to this number, were redriven. */
  readonly redriven: number
}

/** Number of calls by priority after `SECONDS`. All partitions are full of work, and each call takes half a second. */
async function drained({
  inputs,
  retries,
  redriven,
}: Backlog): Promise<Record<Priority, number> & { byPartition: ReadonlyMap<string, number> }> {
  const clock = new FakeClock()
  const metrics = fakeMetrics()
  const log = fakeLog()
  const limiter = new TokenBucket({ permits: 100, windowMs: 1_000, burst: 10 })
  const permits = new PermitQueue({ limiter, maxInFlight: 64, clock, metrics, log })
  const calls: Record<Priority, number> = { fresh: 0, deferred: 0, redriven: 0 }
  const byPartition = new Map<string, number>()
  const oneCall: ProcessRecord = async ({ topic, partition, offset }, context) => {
    const priority = topic === 'retry' ? 'deferred' : offset < redriven ? 'redriven' : 'fresh'
    const partitionName = `${topic}:${partition}`
    const ticket = await permits.acquire(priority, partitionName, context.isWanted)
    if (ticket === null) return null
    calls[priority] += 1
    byPartition.set(partitionName, (byPartition.get(partitionName) ?? 0) + 1)
    ticket.confirm()
    await new Promise<void>((resolve) => void clock.after(CALL_MS, resolve))
    ticket.release({ kind: 'final' })
    return { outputs: [], counts: { kind: 'duplicate' } }
  }
  const shards = shardsWith({
    claim: (shard, partitions) => new FakeShard().claim(shard, partitions),
    processRecord: oneCall,
    clock,
    metrics,
    delayMs: (topic) => (topic === 'in' ? 0 : 1),
    permits,
  })
  shards.assigned('me', { in: firstOffsets(inputs), retry: firstOffsets(retries) })
  await flushPromises()
  for (const [topic, partitions] of [
    ['retry', retries],
    ['in', inputs],
  ] as const) {
    for (const partition of firstOffsets(partitions)) {
      shards.receive(
        topic,
        partition,
        firstOffsets(1_000).map((offset) => inputRecord(offset, { topic, partition, timestampMs: 0 })),
      )
    }
  }
  await clock.advance(SECONDS * 1_000)
  return { ...calls, byPartition }
}

test('across many lanes, fresh work comes first and older work keeps its minimum share', async () => {
  const calls = await drained({ inputs: 4, retries: 24, redriven: 0 })
  const all = PRIORITIES.reduce((sum, priority) => sum + calls[priority], 0)
  expect(all).toBeGreaterThanOrEqual(SECONDS * 100)
  expect(calls.deferred / all).toBeCloseTo(3 / 20, 1)
})

test('many lanes with old work do not delay one lane with fresh work', async () => {
  const { fresh } = await drained({ inputs: 1, retries: 24, redriven: 0 })
  expect(fresh / SECONDS).toBeGreaterThanOrEqual(80)
})

test('redriven records do not delay fresh records behind them in the same partition', async () => {
  const { fresh, redriven } = await drained({ inputs: 2, retries: 0, redriven: 100 })
  expect(fresh / SECONDS).toBeGreaterThanOrEqual(80)
  expect(redriven).toBeGreaterThanOrEqual(SECONDS * 4)
})

test('busy partitions get equal service, including those whose records came later', async () => {
  const { byPartition } = await drained({ inputs: 8, retries: 0, redriven: 0 })
  expect(byPartition.size).toBe(8)
  const counts = [...byPartition.values()]
  // The first partition got the whole burst.
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(12)
})
