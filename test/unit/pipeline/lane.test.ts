import { describe, expect, test } from 'vitest'
import { flushPromises } from '../../support/fake-clock.ts'
import { FakePartition } from '../../support/fake-partition.ts'
import { firstOffsets, laneOn, runningLane, written } from '../../support/lane.ts'

describe('a lane that claims its partition', () => {
  test('starts no record before the claim succeeds', async () => {
    const partition = new FakePartition()
    partition.hold()
    const { lane, receive, begun } = laneOn(partition)
    lane.start()
    await receive(0, 1)
    expect([lane.state, begun()]).toEqual(['claiming', []])
    partition.release()
    await flushPromises()
    expect([lane.state, begun()]).toEqual(['running', [0, 1]])
  })

  test('claims without waiting for a record', async () => {
    const { partition } = await runningLane()
    expect(partition.claims).toBe(1)
  })

  test('retries with growing delays if the brokers reject the claim', async () => {
    const partition = new FakePartition()
    partition.refusals = 3
    const { lane, clock } = laneOn(partition)
    lane.start()
    await clock.advance(100 + 200 + 399)
    expect(lane.state).toBe('claiming')
    await clock.advance(1)
    expect(lane.state).toBe('running')
  })

  test('closes the sink of a claim that succeeds after the partition was revoked', async () => {
    const partition = new FakePartition()
    partition.hold()
    const { lane } = laneOn(partition)
    lane.start()
    await lane.revoke()
    partition.release()
    await flushPromises()
    expect([lane.state, partition.claims, partition.open]).toEqual(['closed', 1, 0])
  })

  test('does not retry after the partition was revoked', async () => {
    const partition = new FakePartition()
    partition.refusals = 1
    const { lane, clock } = laneOn(partition)
    lane.start()
    await flushPromises()
    await lane.revoke()
    expect(clock.timers).toBe(0)
  })
})

describe('records that the previous owner has committed', () => {
  test('are dropped if they were buffered before the claim', async () => {
    const partition = new FakePartition(2n)
    partition.hold()
    const { lane, receive, begun, flow } = laneOn(partition)
    lane.start()
    await receive(0, 1, 2, 3)
    partition.release()
    await flushPromises()
    expect([begun(), flow]).toEqual([[2, 3], []])
  })

  test('are dropped if they arrive after the claim', async () => {
    const { receive, begun, flow, metrics } = await runningLane(new FakePartition(2n))
    await receive(0, 1, 2, 3)
    expect([begun(), flow]).toEqual([[2, 3], []])
    expect(metrics.of('redelivered')).toEqual([[2]])
  })

  test('a lane seeks to the committed offset if its first batch starts after it', async () => {
    const { receive, begun, flow, lane } = await runningLane(new FakePartition(5n))
    await receive(8, 9)
    expect([begun(), flow, lane.backlog]).toEqual([[], ['seek 5'], 0])
    await receive(5, 6, 7, 8)
    expect(begun()).toEqual([5, 6, 7, 8])
  })

  test('a lane seeks to the committed offset if its first batch started after it and came before the claim', async () => {
    const partition = new FakePartition(5n)
    partition.hold()
    const { lane, receive, begun, flow } = laneOn(partition)
    lane.start()
    await receive(8, 9)
    partition.release()
    await flushPromises()
    expect([begun(), flow]).toEqual([[], ['seek 5']])
  })

  test('a lane seeks only once, and accepts a gap afterwards', async () => {
    const { receive, begun, flow } = await runningLane(new FakePartition(5n))
    await receive(8)
    await receive(8, 9)
    expect([begun(), flow]).toEqual([[8, 9], ['seek 5']])
  })

  test('a lane does not seek if its first batch starts before the committed offset and a gap follows', async () => {
    const { receive, begun, flow } = await runningLane(new FakePartition(5n))
    await receive(3, 4)
    await receive(8)
    expect([begun(), flow]).toEqual([[8], []])
  })
})

describe('a commit', () => {
  test('contains only the longest finished prefix', async () => {
    const { receive, finish, partition } = await runningLane()
    await receive(0, 1, 2, 3)
    await finish(2, 1)
    expect(partition.transactions).toEqual([])
    await finish(0)
    expect([written(partition), partition.committed]).toEqual([[0, 1, 2], 3n])
  })

  test('skips offsets that do not exist in the partition', async () => {
    const { receive, finish, partition } = await runningLane()
    await receive(3, 4, 7, 9)
    await finish(9, 7, 4, 3)
    expect(partition.transactions).toEqual([[4, 10n]])
  })

  test('waits for the previous transaction and then contains everything that finished meanwhile', async () => {
    const { receive, finish, partition } = await runningLane()
    await receive(0, 1, 2)
    partition.hold()
    await finish(0)
    await finish(2, 1)
    partition.release()
    await flushPromises()
    expect(partition.transactions).toEqual([
      [1, 1n],
      [2, 3n],
    ])
  })

  test('waits briefly while the lane is busy, so that it contains more records', async () => {
    const { receive, finish, partition, clock } = await runningLane()
    await receive(...firstOffsets(20))
    await finish(0)
    await clock.advance(5)
    expect(partition.transactions).toEqual([])
    await finish(1, 2)
    await clock.advance(1_000)
    expect(partition.transactions).toEqual([[3, 3n]])
  })

  test('waits longer while there are records to start, because it then contains many more records', async () => {
    const { receive, finish, partition, clock } = await runningLane(new FakePartition(), {
      mayStartMore: () => false,
    })
    await receive(...firstOffsets(40))
    await finish(0)
    await clock.advance(150)
    await finish(1, 2)
    expect(partition.transactions).toEqual([])
    await clock.advance(50)
    expect(partition.transactions).toEqual([[3, 3n]])
  })

  test('does not wait if few more records can be added', async () => {
    const { receive, finish, partition } = await runningLane()
    await receive(...firstOffsets(20))
    await finish(...firstOffsets(20))
    expect(partition.transactions).toEqual([
      [12, 12n],
      [8, 20n],
    ])
  })

  test('contains at most 500 records', async () => {
    const { receive, finish, partition, clock } = await runningLane()
    const offsets = firstOffsets(700)
    await receive(...offsets)
    await finish(...offsets)
    await clock.advance(1_000)
    expect(partition.transactions).toEqual([
      [500, 500n],
      [200, 700n],
    ])
  })

  test('counts each record after its transaction, not before', async () => {
    const { receive, finish, partition, metrics } = await runningLane()
    await receive(0)
    partition.hold()
    await finish(0)
    expect(metrics.of('deferred')).toEqual([])
    partition.release()
    await flushPromises()
    expect(metrics.of('deferred')).toEqual([['pending']])
  })
})

describe('a record that is fetched twice', () => {
  test('is recognized by its offset and dropped', async () => {
    const { receive, begun, metrics } = await runningLane()
    await receive(0, 1)
    await receive(0, 1, 2)
    expect(begun()).toEqual([0, 1, 2])
    expect(metrics.of('redelivered')).toEqual([[2]])
    expect(metrics.of('consumed')).toEqual([
      ['in', 2],
      ['in', 1],
    ])
  })

  test('is recognized after its commit, too', async () => {
    const { receive, finish, begun } = await runningLane()
    await receive(0)
    await finish(0)
    await receive(0)
    expect(begun()).toEqual([0])
  })
})
