import { describe, expect, test } from 'vitest'
import { flushPromises } from '../../../support/fake-clock.ts'
import { FakeShard } from '../../../support/fake-shard.ts'
import { firstOffsets, shardOn, runningShard, written } from '../../../support/shard-bed.ts'

describe('a lane that claims its partition', () => {
  test('starts no record before the claim succeeds', async () => {
    const broker = new FakeShard()
    broker.hold()
    const { shard, receive, begun } = shardOn(broker)
    await receive(0, 1)
    expect([shard.phase, begun()]).toEqual(['claiming', []])
    broker.release()
    await flushPromises()
    expect([shard.phase, begun()]).toEqual(['running', [0, 1]])
  })

  test('claims without waiting for a record', async () => {
    const { broker } = await runningShard()
    expect(broker.claims).toBe(1)
  })

  test('retries with growing delays if the brokers reject the claim', async () => {
    const broker = new FakeShard()
    broker.refusals = 3
    const { shard, clock } = shardOn(broker)
    await clock.advance(100 + 200 + 399)
    expect(shard.phase).toBe('claiming')
    await clock.advance(1)
    expect(shard.phase).toBe('running')
  })

  test('closes the sink of a claim that succeeds after the partition was revoked', async () => {
    const broker = new FakeShard()
    broker.hold()
    const { shard } = shardOn(broker)
    await shard.revoke()
    broker.release()
    await flushPromises()
    expect([shard.phase, broker.claims, broker.open]).toEqual(['closed', 1, 0])
  })

  test('does not retry after the partition was revoked', async () => {
    const broker = new FakeShard()
    broker.refusals = 1
    const { shard, clock } = shardOn(broker)
    await flushPromises()
    await shard.revoke()
    expect(clock.timers).toBe(0)
  })
})

describe('records that the previous owner has committed', () => {
  test('are dropped if they were buffered before the claim', async () => {
    const broker = new FakeShard(2n)
    broker.hold()
    const { receive, begun, flow } = shardOn(broker)
    await receive(0, 1, 2, 3)
    broker.release()
    await flushPromises()
    expect([begun(), flow]).toEqual([[2, 3], []])
  })

  test('are dropped if they arrive after the claim', async () => {
    const { receive, begun, flow, metrics } = await runningShard(new FakeShard(2n))
    await receive(0, 1, 2, 3)
    expect([begun(), flow]).toEqual([[2, 3], []])
    expect(metrics.of('redelivered')).toEqual([[2]])
  })

  test('a lane seeks to the committed offset if its first batch starts after it', async () => {
    const { receive, begun, flow, lane } = await runningShard(new FakeShard(5n))
    await receive(8, 9)
    expect([begun(), flow, lane.backlog]).toEqual([[], ['seek 5'], 0])
    await receive(5, 6, 7, 8)
    expect(begun()).toEqual([5, 6, 7, 8])
  })

  test('a lane seeks to the committed offset if its first batch started after it and came before the claim', async () => {
    const broker = new FakeShard(5n)
    broker.hold()
    const { receive, begun, flow } = shardOn(broker)
    await receive(8, 9)
    broker.release()
    await flushPromises()
    expect([begun(), flow]).toEqual([[], ['seek 5']])
  })

  test('a lane seeks only once, and accepts a gap afterwards', async () => {
    const { receive, begun, flow } = await runningShard(new FakeShard(5n))
    await receive(8)
    await receive(8, 9)
    expect([begun(), flow]).toEqual([[8, 9], ['seek 5']])
  })

  test('a lane does not seek if its first batch starts before the committed offset and a gap follows', async () => {
    const { receive, begun, flow } = await runningShard(new FakeShard(5n))
    await receive(3, 4)
    await receive(8)
    expect([begun(), flow]).toEqual([[8], []])
  })
})

describe('a commit', () => {
  test('contains only the longest finished prefix', async () => {
    const { receive, finish, broker } = await runningShard()
    await receive(0, 1, 2, 3)
    await finish(2, 1)
    expect(broker.transactions).toEqual([])
    await finish(0)
    expect([written(broker), broker.committed]).toEqual([[0, 1, 2], 3n])
  })

  test('skips offsets that do not exist in the partition', async () => {
    const { receive, finish, broker } = await runningShard()
    await receive(3, 4, 7, 9)
    await finish(9, 7, 4, 3)
    expect(broker.transactions).toEqual([[4, 10n]])
  })

  test('waits for the previous transaction and then contains everything that finished meanwhile', async () => {
    const { receive, finish, broker } = await runningShard()
    await receive(0, 1, 2)
    broker.hold()
    await finish(0)
    await finish(2, 1)
    broker.release()
    await flushPromises()
    expect(broker.transactions).toEqual([
      [1, 1n],
      [2, 3n],
    ])
  })

  test('waits briefly while the lane is busy, so that it contains more records', async () => {
    const { receive, finish, broker, clock } = await runningShard()
    await receive(...firstOffsets(20))
    await finish(0)
    await clock.advance(5)
    expect(broker.transactions).toEqual([])
    await finish(1, 2)
    await clock.advance(1_000)
    expect(broker.transactions).toEqual([[3, 3n]])
  })

  test('waits longer while there are records to start, because it then contains many more records', async () => {
    const { receive, finish, broker, clock } = await runningShard(new FakeShard(), {
      mayStartMore: () => false,
    })
    await receive(...firstOffsets(40))
    await finish(0)
    await clock.advance(150)
    await finish(1, 2)
    expect(broker.transactions).toEqual([])
    await clock.advance(50)
    expect(broker.transactions).toEqual([[3, 3n]])
  })

  test('does not wait if few more records can be added', async () => {
    const { receive, finish, broker } = await runningShard()
    await receive(...firstOffsets(20))
    await finish(...firstOffsets(20))
    expect(broker.transactions).toEqual([
      [12, 12n],
      [8, 20n],
    ])
  })

  test('contains at most 500 records', async () => {
    const { receive, finish, broker, clock } = await runningShard()
    const offsets = firstOffsets(700)
    await receive(...offsets)
    await finish(...offsets)
    await clock.advance(1_000)
    expect(broker.transactions).toEqual([
      [500, 500n],
      [200, 700n],
    ])
  })

  test('counts each record after its transaction, not before', async () => {
    const { receive, finish, broker, metrics } = await runningShard()
    await receive(0)
    broker.hold()
    await finish(0)
    expect(metrics.of('deferred')).toEqual([])
    broker.release()
    await flushPromises()
    expect(metrics.of('deferred')).toEqual([['pending']])
  })
})

describe('a record that is fetched twice', () => {
  test('is recognized by its offset and dropped', async () => {
    const { receive, begun, metrics } = await runningShard()
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
    const { receive, finish, begun } = await runningShard()
    await receive(0)
    await finish(0)
    await receive(0)
    expect(begun()).toEqual([0])
  })
})
