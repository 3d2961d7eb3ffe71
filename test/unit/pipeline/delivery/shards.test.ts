import { describe, expect, test } from 'vitest'
import { UNLIMITED } from '../../../../src/core/quota/token-bucket.ts'
import { partitionKey } from '../../../../src/core/partitions/topic-partition.ts'
import type { CallTicket } from '../../../../src/core/calls/call-ticket.ts'
import { PermitQueue } from '../../../../src/pipeline/calls/permit-queue.ts'
import type { ProcessRecord } from '../../../../src/pipeline/record/process-record.ts'
import { FakeClock, flushPromises } from '../../../support/fake-clock.ts'
import { FakeShard } from '../../../support/fake-shard.ts'
import { fakeLog, fakeMetrics, inputRecord } from '../../../support/fakes.ts'
import { firstOffsets, shardsWith } from '../../../support/shard-bed.ts'

/** Lanes over fake partitions. Each record starts one call when it has a permit, and the test decides when the call returns. */
function shardsOver({ maxInFlight = 100, registryWaiting = (): number => 0 } = {}) {
  const clock = new FakeClock()
  const metrics = fakeMetrics()
  const log = fakeLog()
  const brokers = new Map<number, FakeShard>()
  const claims: string[] = []
  const calls: { position: string; finish: () => void }[] = []
  const permits = new PermitQueue({ limiter: UNLIMITED, maxInFlight, clock, metrics, log })
  const brokerOf = (shard: number): FakeShard => {
    const broker = brokers.get(shard) ?? new FakeShard()
    brokers.set(shard, broker)
    return broker
  }
  const oneCall: ProcessRecord = async ({ topic, partition, offset }, context) => {
    const ticket = await permits.acquire('fresh', `${topic}:${partition}`, context.isWanted)
    if (ticket === null) return null
    await new Promise<void>(
      (finish) => void calls.push({ position: `${topic}:${partition}:${offset}`, finish }),
    )
    return done(ticket)
  }
  const shards = shardsWith({
    claim: (shard, partitions) => {
      claims.push(partitions.map(partitionKey).join(' '))
      return brokerOf(shard).claim(shard, partitions)
    },
    processRecord: oneCall,
    clock,
    metrics,
    delayMs: (topic) => (topic === 'in' ? 0 : 10_000),
    permits,
    registryWaiting,
  })
  return {
    shards,
    clock,
    claims,
    calls,
    permits,
    metrics,
    brokerOf,
    positions: () => calls.map(({ position }) => position),
  }
}

function done(ticket: CallTicket) {
  ticket.release({ kind: 'final' })
  const output = { topic: 'out', partition: 0, key: null, value: null, headers: [] }
  return { outputs: [output], counts: { kind: 'deferred', reason: 'pending' } } as const
}

test('losing the group membership stops new calls and commits on every partition', async () => {
  const { shards, calls, brokerOf, positions } = shardsOver({ maxInFlight: 1 })
  shards.assigned('member', { in: [0] })
  await flushPromises()
  shards.receive('in', 0, [inputRecord(0), inputRecord(1)])
  await flushPromises()
  shards.revokeAll()
  calls[0]?.finish()
  await flushPromises()
  expect(positions()).toEqual(['in:0:0'])
  expect([shards.partitions, brokerOf(0).open, brokerOf(0).offsets.get('in:0')]).toEqual([[], 0, undefined])
})

test('the lag is the sum over all partitions', async () => {
  const { shards } = shardsOver()
  shards.assigned('member', { in: [0, 1] })
  await flushPromises()
  shards.progress('in', 0, 3n, 10n)
  shards.progress('in', 1, 0n, 5n)
  expect([shards.lag, shards.partitions.map(({ topic, partition }) => ({ topic, partition }))]).toEqual([
    12,
    [
      { topic: 'in', partition: 0 },
      { topic: 'in', partition: 1 },
    ],
  ])
})

test('a lane starts only its small reserve of records while records wait for the registry', async () => {
  let waiting = 1
  const { shards, positions, calls } = shardsOver({ registryWaiting: () => waiting })
  shards.assigned('member', { in: [0] })
  await flushPromises()
  shards.receive(
    'in',
    0,
    firstOffsets(50).map((offset) => inputRecord(offset)),
  )
  await flushPromises()
  expect(positions()).toHaveLength(16)
  waiting = 0
  calls[0]?.finish()
  await flushPromises()
  expect(positions()).toHaveLength(50)
})

describe('lanes at an assignment', () => {
  test('are opened for each partition and claim it at once', async () => {
    const { shards, claims } = shardsOver()
    shards.assigned('member', { in: [0, 1], retry: [0] })
    expect(shards.unclaimed).toBe(3)
    await flushPromises()
    expect([shards.partitions.length, shards.unclaimed, claims]).toEqual([3, 0, ['in:0 retry:0', 'in:1']])
  })

  test('are kept for retained partitions, closed for revoked ones and opened for new ones', async () => {
    const { shards, claims, brokerOf } = shardsOver()
    shards.assigned('member', { in: [0, 1] })
    await flushPromises()
    shards.rebalancing()
    shards.assigned('member', { in: [1, 2] })
    await flushPromises()
    expect([shards.partitions.length, claims]).toEqual([2, ['in:0', 'in:1', 'in:2']])
    expect([0, 1, 2].map((number) => brokerOf(number).open)).toEqual([0, 1, 1])
  })

  test('claim every partition again with a new member id, because a generation was missed', async () => {
    const { shards, claims, brokerOf } = shardsOver()
    shards.assigned('member', { in: [0] })
    await flushPromises()
    shards.assigned('another', { in: [0] })
    await flushPromises()
    expect([claims, brokerOf(0).open, shards.partitions.length]).toEqual([['in:0', 'in:0'], 1, 1])
  })

  test('keep calls in flight on a retained partition', async () => {
    const { shards, calls, brokerOf } = shardsOver()
    shards.assigned('member', { in: [0] })
    await flushPromises()
    shards.receive('in', 0, [inputRecord(0)])
    await flushPromises()
    shards.rebalancing()
    shards.assigned('member', { in: [0] })
    calls[0]?.finish()
    await flushPromises()
    expect(brokerOf(0).offsets.get('in:0')).toBe(1n)
  })
})

describe('lanes during a rebalance', () => {
  test('start no call and commit calls that were in flight', async () => {
    const { shards, calls, positions, brokerOf } = shardsOver()
    shards.assigned('member', { in: [0] })
    await flushPromises()
    shards.receive('in', 0, [inputRecord(0)])
    await flushPromises()
    shards.rebalancing()
    shards.receive('in', 0, [inputRecord(1)])
    calls[0]?.finish()
    await flushPromises()
    expect([positions(), brokerOf(0).offsets.get('in:0')]).toEqual([['in:0:0'], 1n])
    shards.assigned('member', { in: [0] })
    await flushPromises()
    expect(positions()).toEqual(['in:0:0', 'in:0:1'])
  })

  test("drop a revoked partition's record from the permit queue", async () => {
    const { shards, positions, metrics } = shardsOver()
    shards.assigned('member', { in: [0, 1] })
    await flushPromises()
    shards.rebalancing()
    shards.receive('in', 0, [inputRecord(0)])
    shards.receive('in', 1, [inputRecord(0, { partition: 1 })])
    shards.assigned('member', { in: [1] })
    await flushPromises()
    expect(positions()).toEqual(['in:1:0'])
    expect(metrics.of('permitsWaiting').at(-1)).toEqual([{ fresh: 0, deferred: 0, redriven: 0 }])
  })
})

test('a queued record of a revoked partition is dropped even if all concurrent calls are in use', async () => {
  const { shards, positions, metrics } = shardsOver({ maxInFlight: 1 })
  shards.assigned('member', { in: [0, 1] })
  await flushPromises()
  shards.receive('in', 0, [inputRecord(0)])
  shards.receive('in', 1, [inputRecord(0, { partition: 1 })])
  await flushPromises()
  shards.rebalancing()
  shards.assigned('member', { in: [0] })
  expect(metrics.of('permitsWaiting').at(-1)).toEqual([{ fresh: 0, deferred: 0, redriven: 0 }])
  expect(positions()).toEqual(['in:0:0'])
})

test('records of a partition that is not assigned are dropped', async () => {
  const { shards, positions } = shardsOver()
  shards.assigned('member', { in: [0] })
  await flushPromises()
  shards.receive('in', 7, [inputRecord(0)])
  shards.progress('in', 7, 1n, 1n)
  await flushPromises()
  expect([positions(), shards.backlog]).toEqual([[], 0])
})

test('records of a retry topic wait for the delay of the topic', async () => {
  const { shards, positions, clock } = shardsOver()
  shards.assigned('member', { retry: [0] })
  await flushPromises()
  shards.receive('retry', 0, [inputRecord(0, { topic: 'retry', timestampMs: clock.epochMs() })])
  await clock.advance(9_999)
  expect([positions(), shards.backlog]).toEqual([[], 1])
  await clock.advance(1)
  expect(positions()).toEqual(['retry:0:0'])
})

test('a heartbeat makes fenced lanes claim again', async () => {
  const { shards, calls, brokerOf } = shardsOver()
  shards.assigned('member', { in: [0] })
  await flushPromises()
  shards.receive('in', 0, [inputRecord(0)])
  await flushPromises()
  brokerOf(0).faults.push('fenced')
  calls[0]?.finish()
  await flushPromises()
  expect(shards.unclaimed).toBe(1)
  shards.heartbeat()
  await flushPromises()
  expect([shards.unclaimed, brokerOf(0).claims]).toEqual([0, 2])
})

describe('draining all lanes', () => {
  test('commits calls in flight on every lane and drops records that wait for a permit', async () => {
    const { shards, calls, positions, brokerOf } = shardsOver({ maxInFlight: 2 })
    shards.assigned('member', { in: [0, 1] })
    await flushPromises()
    shards.receive('in', 0, [inputRecord(0), inputRecord(1)])
    shards.receive('in', 1, [inputRecord(0, { partition: 1 })])
    await flushPromises()
    const drained = shards.drain()
    for (const { finish } of calls) finish()
    await drained
    expect(positions()).toEqual(['in:0:0', 'in:0:1'])
    expect([brokerOf(0).offsets.get('in:0'), brokerOf(1).offsets.get('in:1')]).toEqual([2n, undefined])
    expect([shards.partitions.length, brokerOf(0).open, brokerOf(1).open]).toEqual([0, 0, 0])
  })

  test('does not wait for permits while permits are paused', async () => {
    const { shards, permits, positions } = shardsOver()
    shards.assigned('member', { in: [0] })
    await flushPromises()
    permits.pause('rebalance')
    shards.receive('in', 0, [inputRecord(0)])
    await shards.drain()
    expect([shards.partitions, positions()]).toEqual([[], []])
  })

  test('opens no lane for partitions that are assigned afterwards', async () => {
    const { shards, claims } = shardsOver()
    await shards.drain()
    shards.assigned('member', { in: [0] })
    await flushPromises()
    expect([shards.partitions.length, claims]).toEqual([0, []])
  })
})
