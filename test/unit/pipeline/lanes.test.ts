import { describe, expect, test } from 'vitest'
import { UNLIMITED } from '../../../src/core/token-bucket.ts'
import { Lanes } from '../../../src/pipeline/lanes.ts'
import { PermitQueue, type Permit } from '../../../src/pipeline/permit-queue.ts'
import { RecordBudget } from '../../../src/pipeline/record-budget.ts'
import type { ProcessRecord } from '../../../src/pipeline/process-record.ts'
import { FakeClock, flushPromises } from '../../support/fake-clock.ts'
import { FakePartition } from '../../support/fake-partition.ts'
import { fakeLog, fakeMetrics, inputRecord } from '../../support/fakes.ts'
import { firstOffsets } from '../../support/lane.ts'

/** Lanes over fake partitions. Each record starts one call when it has a permit, and the test decides when the call returns. */
function lanesOver({ maxInFlight = 100, registryWaiting = (): number => 0 } = {}) {
  const clock = new FakeClock()
  const metrics = fakeMetrics()
  const log = fakeLog()
  const partitions = new Map<string, FakePartition>()
  const claims: string[] = []
  const calls: { position: string; finish: () => void }[] = []
  const permits = new PermitQueue({ limiter: UNLIMITED, maxInFlight, clock, metrics, log })
  const partitionOf = (position: string): FakePartition => {
    const partition = partitions.get(position) ?? new FakePartition()
    partitions.set(position, partition)
    return partition
  }
  const oneCall: ProcessRecord = async ({ topic, partition, offset }, context) => {
    const permit = await permits.acquire('fresh', `${topic}:${partition}`, context.isWanted)
    if (permit === null) return null
    await new Promise<void>(
      (finish) => void calls.push({ position: `${topic}:${partition}:${offset}`, finish }),
    )
    return done(permit)
  }
  const lanes = new Lanes({
    lane: {
      claim: (topic, partition) => {
        claims.push(`${topic}:${partition}`)
        return partitionOf(`${topic}:${partition}`).claim(topic, partition)
      },
      processRecord: oneCall,
      outputs: { replacement: () => null },
      deadLetterLimit: { allows: () => true },
      deadLetterNotices: { add: () => undefined },
      budget: new RecordBudget(),
      blocked: { block: () => undefined, clear: () => undefined, forget: () => undefined },
      clock,
      metrics,
      log,
      onDefect: (error) => {
        throw error
      },
    },
    delayMs: (topic) => (topic === 'in' ? 0 : 10_000),
    flow: () => ({ pause: () => undefined, resume: () => undefined, seek: () => undefined }),
    recent: { forgetPartition: () => undefined },
    permits,
    registryWaiting,
    log,
  })
  return {
    lanes,
    clock,
    claims,
    calls,
    permits,
    metrics,
    partitionOf,
    positions: () => calls.map(({ position }) => position),
  }
}

function done(permit: Permit) {
  permit.release({ kind: 'answered' })
  const output = { topic: 'out', partition: 0, key: null, value: null, headers: [] }
  return { outputs: [output], counts: { kind: 'deferred', reason: 'pending' } } as const
}

test('losing the group membership stops new calls and commits on every partition', async () => {
  const { lanes, calls, partitionOf, positions } = lanesOver({ maxInFlight: 1 })
  lanes.assigned('member', { in: [0] })
  await flushPromises()
  lanes.receive('in', 0, [inputRecord(0), inputRecord(1)])
  await flushPromises()
  lanes.revokeAll()
  calls[0]?.finish()
  await flushPromises()
  expect(positions()).toEqual(['in:0:0'])
  expect([lanes.partitions, partitionOf('in:0').open, partitionOf('in:0').committed]).toEqual([[], 0, null])
})

test('the lag is the sum over all partitions', async () => {
  const { lanes } = lanesOver()
  lanes.assigned('member', { in: [0, 1] })
  await flushPromises()
  lanes.progress('in', 0, 3n, 10n)
  lanes.progress('in', 1, 0n, 5n)
  expect([lanes.lag, lanes.partitions]).toEqual([
    12,
    [
      { topic: 'in', partition: 0 },
      { topic: 'in', partition: 1 },
    ],
  ])
})

test('a lane starts only its small reserve of records while records wait for the registry', async () => {
  let waiting = 1
  const { lanes, positions, calls } = lanesOver({ registryWaiting: () => waiting })
  lanes.assigned('member', { in: [0] })
  await flushPromises()
  lanes.receive(
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
    const { lanes, claims } = lanesOver()
    lanes.assigned('member', { in: [0, 1], retry: [0] })
    expect(lanes.unclaimed).toBe(3)
    await flushPromises()
    expect([lanes.partitions.length, lanes.unclaimed, claims]).toEqual([3, 0, ['in:0', 'in:1', 'retry:0']])
  })

  test('are kept for retained partitions, closed for revoked ones and opened for new ones', async () => {
    const { lanes, claims, partitionOf } = lanesOver()
    lanes.assigned('member', { in: [0, 1] })
    await flushPromises()
    lanes.rebalancing()
    lanes.assigned('member', { in: [1, 2] })
    await flushPromises()
    expect([lanes.partitions.length, claims]).toEqual([2, ['in:0', 'in:1', 'in:2']])
    expect([0, 1, 2].map((number) => partitionOf(`in:${number}`).open)).toEqual([0, 1, 1])
  })

  test('claim every partition again with a new member id, because a generation was missed', async () => {
    const { lanes, claims, partitionOf } = lanesOver()
    lanes.assigned('member', { in: [0] })
    await flushPromises()
    lanes.assigned('another', { in: [0] })
    await flushPromises()
    expect([claims, partitionOf('in:0').open, lanes.partitions.length]).toEqual([['in:0', 'in:0'], 1, 1])
  })

  test('keep calls in flight on a retained partition', async () => {
    const { lanes, calls, partitionOf } = lanesOver()
    lanes.assigned('member', { in: [0] })
    await flushPromises()
    lanes.receive('in', 0, [inputRecord(0)])
    await flushPromises()
    lanes.rebalancing()
    lanes.assigned('member', { in: [0] })
    calls[0]?.finish()
    await flushPromises()
    expect(partitionOf('in:0').committed).toBe(1n)
  })
})

describe('lanes during a rebalance', () => {
  test('start no call and commit calls that were in flight', async () => {
    const { lanes, calls, positions, partitionOf } = lanesOver()
    lanes.assigned('member', { in: [0] })
    await flushPromises()
    lanes.receive('in', 0, [inputRecord(0)])
    await flushPromises()
    lanes.rebalancing()
    lanes.receive('in', 0, [inputRecord(1)])
    calls[0]?.finish()
    await flushPromises()
    expect([positions(), partitionOf('in:0').committed]).toEqual([['in:0:0'], 1n])
    lanes.assigned('member', { in: [0] })
    await flushPromises()
    expect(positions()).toEqual(['in:0:0', 'in:0:1'])
  })

  test("drop a revoked partition's record from the permit queue", async () => {
    const { lanes, positions, metrics } = lanesOver()
    lanes.assigned('member', { in: [0, 1] })
    await flushPromises()
    lanes.rebalancing()
    lanes.receive('in', 0, [inputRecord(0)])
    lanes.receive('in', 1, [inputRecord(0, { partition: 1 })])
    lanes.assigned('member', { in: [1] })
    await flushPromises()
    expect(positions()).toEqual(['in:1:0'])
    expect(metrics.of('permitsWaiting').at(-1)).toEqual([{ fresh: 0, deferred: 0, redriven: 0 }])
  })
})

test('a queued record of a revoked partition is dropped even if all concurrent calls are in use', async () => {
  const { lanes, positions, metrics } = lanesOver({ maxInFlight: 1 })
  lanes.assigned('member', { in: [0, 1] })
  await flushPromises()
  lanes.receive('in', 0, [inputRecord(0)])
  lanes.receive('in', 1, [inputRecord(0, { partition: 1 })])
  await flushPromises()
  lanes.rebalancing()
  lanes.assigned('member', { in: [0] })
  expect(metrics.of('permitsWaiting').at(-1)).toEqual([{ fresh: 0, deferred: 0, redriven: 0 }])
  expect(positions()).toEqual(['in:0:0'])
})

test('records of a partition that is not assigned are dropped', async () => {
  const { lanes, positions } = lanesOver()
  lanes.assigned('member', { in: [0] })
  await flushPromises()
  lanes.receive('in', 7, [inputRecord(0)])
  lanes.progress('in', 7, 1n, 1n)
  await flushPromises()
  expect([positions(), lanes.backlog]).toEqual([[], 0])
})

test('records of a retry topic wait for the delay of the topic', async () => {
  const { lanes, positions, clock } = lanesOver()
  lanes.assigned('member', { retry: [0] })
  await flushPromises()
  lanes.receive('retry', 0, [inputRecord(0, { topic: 'retry', timestampMs: clock.epochMs() })])
  await clock.advance(9_999)
  expect([positions(), lanes.backlog]).toEqual([[], 1])
  await clock.advance(1)
  expect(positions()).toEqual(['retry:0:0'])
})

test('a heartbeat makes fenced lanes claim again', async () => {
  const { lanes, calls, partitionOf } = lanesOver()
  lanes.assigned('member', { in: [0] })
  await flushPromises()
  lanes.receive('in', 0, [inputRecord(0)])
  await flushPromises()
  partitionOf('in:0').faults.push('fenced')
  calls[0]?.finish()
  await flushPromises()
  expect(lanes.unclaimed).toBe(1)
  lanes.heartbeat()
  await flushPromises()
  expect([lanes.unclaimed, partitionOf('in:0').claims]).toEqual([0, 2])
})

describe('draining all lanes', () => {
  test('commits calls in flight on every lane and drops records that wait for a permit', async () => {
    const { lanes, calls, positions, partitionOf } = lanesOver({ maxInFlight: 2 })
    lanes.assigned('member', { in: [0, 1] })
    await flushPromises()
    lanes.receive('in', 0, [inputRecord(0), inputRecord(1)])
    lanes.receive('in', 1, [inputRecord(0, { partition: 1 })])
    await flushPromises()
    const drained = lanes.drain()
    for (const { finish } of calls) finish()
    await drained
    expect(positions()).toEqual(['in:0:0', 'in:0:1'])
    expect([partitionOf('in:0').committed, partitionOf('in:1').committed]).toEqual([2n, null])
    expect([lanes.partitions.length, partitionOf('in:0').open, partitionOf('in:1').open]).toEqual([0, 0, 0])
  })

  test('does not wait for permits while permits are paused', async () => {
    const { lanes, permits, positions } = lanesOver()
    lanes.assigned('member', { in: [0] })
    await flushPromises()
    permits.pause('rebalance')
    lanes.receive('in', 0, [inputRecord(0)])
    await lanes.drain()
    expect([lanes.partitions, positions()]).toEqual([[], []])
  })

  test('opens no lane for partitions that are assigned afterwards', async () => {
    const { lanes, claims } = lanesOver()
    await lanes.drain()
    lanes.assigned('member', { in: [0] })
    await flushPromises()
    expect([lanes.partitions.length, claims]).toEqual([0, []])
  })
})
