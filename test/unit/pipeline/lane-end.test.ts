import { describe, expect, test } from 'vitest'
import { RecordBudget } from '../../../src/pipeline/record-budget.ts'
import { flushPromises } from '../../support/fake-clock.ts'
import { FakePartition } from '../../support/fake-partition.ts'
import { firstOffsets, laneOn, runningLane, written } from '../../support/lane.ts'

describe('a lane whose partition is revoked', () => {
  test('waits for its current transaction and closes its sink', async () => {
    const { lane, receive, finish, partition } = await runningLane()
    await receive(0)
    partition.hold()
    await finish(0)
    const revoked = lane.revoke()
    partition.release()
    await revoked
    expect([written(partition), partition.open, lane.state]).toEqual([[0], 0, 'closed'])
  })

  test('commits nothing that finishes later and accepts no more records', async () => {
    const { lane, receive, finish, partition, begun } = await runningLane()
    await receive(0)
    await lane.revoke()
    await finish(0)
    await receive(1)
    expect([written(partition), begun()]).toEqual([[], [0]])
  })

  test('cancels its work', async () => {
    const { lane, receive, started } = await runningLane()
    await receive(0)
    await lane.revoke()
    expect(started[0]?.context.isWanted()).toBe(false)
  })

  test('leaves no timers, paused partition or metric series behind', async () => {
    const { lane, receive, finish, clock, flow, metrics } = await runningLane()
    await receive(...firstOffsets(2_000))
    await finish(0)
    await lane.revoke()
    expect([clock.timers, flow]).toEqual([0, ['pause', 'resume']])
    expect(metrics.of('partitionLost')).toEqual([['in', 0]])
  })

  test('frees its budget and stops reporting the partition once its last transaction has ended', async () => {
    const budget = new RecordBudget({ records: 256, bytes: 1024 })
    const whole = budget.limit
    const { lane, receive, finish, flow, metrics, partition } = await runningLane(new FakePartition(), {
      budget,
    })
    await receive(...firstOffsets(2))
    partition.hold()
    await finish(0)
    await receive(...firstOffsets(255).slice(2))
    const revoked = lane.revoke()
    const [changes, lags] = [flow.length, metrics.of('lag').length]
    partition.release()
    await revoked
    expect(written(partition)).toEqual([0])
    expect(budget.limit).toEqual(whole)
    expect([flow.length, metrics.of('lag').length]).toEqual([changes, lags])
  })
})

describe('a draining lane', () => {
  test('starts no more records, commits calls in flight, and drops records that wait for a permit', async () => {
    const { lane, receive, finish, giveUp, partition, begun, started } = await runningLane()
    await receive(0, 1, 2)
    const drained = lane.drain()
    await receive(3)
    expect(started.map(({ context }) => context.isWanted())).toEqual([false, false, false])
    giveUp(2)
    await finish(1)
    expect(lane.state).toBe('running')
    await finish(0)
    await drained
    expect([begun(), written(partition), lane.state]).toEqual([[0, 1, 2], [0, 1], 'closed'])
    expect([partition.committed, partition.open]).toEqual([2n, 0])
  })

  test('waits for calls in flight behind a dropped record although they cannot be committed', async () => {
    const { lane, receive, finish, giveUp, partition } = await runningLane()
    await receive(0, 1)
    const drained = lane.drain()
    giveUp(0)
    await flushPromises()
    expect(lane.state).toBe('running')
    await finish(1)
    await drained
    expect([written(partition), partition.committed]).toEqual([[], null])
  })

  test('is done at once if it has no buffered records', async () => {
    const { lane, partition } = await runningLane()
    await lane.drain()
    expect([lane.state, partition.open]).toEqual(['closed', 0])
  })

  test('commits without waiting for more records', async () => {
    const { lane, receive, finish, giveUp, partition, clock } = await runningLane()
    await receive(...firstOffsets(20))
    await finish(0)
    const drained = lane.drain()
    for (let offset = 1; offset < 20; offset += 1) giveUp(offset)
    await drained
    expect([written(partition), clock.monotonicMs()]).toEqual([[0], 0])
  })

  test('is done at once if it has no claim', async () => {
    const partition = new FakePartition()
    partition.hold()
    const { lane } = laneOn(partition)
    lane.start()
    await lane.drain()
    expect(lane.state).toBe('closed')
  })
})
