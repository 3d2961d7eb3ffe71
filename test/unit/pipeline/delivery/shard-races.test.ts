/** Changes to a shard while a claim or a transaction is in flight. */
import { describe, expect, test } from 'vitest'
import { flushPromises } from '../../../support/fake-clock.ts'
import { FakeShard } from '../../../support/fake-shard.ts'
import { firstOffsets, IN_0, runningShard, shardOn } from '../../../support/shard-bed.ts'

const IN_16 = { topic: 'in', partition: 16 }
const BOTH = [IN_0, IN_16]

describe('a partition whose log is replaced', () => {
  test('is read from its beginning after a fence, also if it was replaced while the shard was fenced', async () => {
    const { shard, receive, finish, broker, flow, begun } = await runningShard(new FakeShard(5n))
    await receive(5)
    broker.faults.push('fenced')
    await finish(5)
    shard.replaced(IN_0, 0n)
    await receive(0)
    shard.heartbeat()
    await flushPromises()
    expect([shard.phase, broker.committed, flow]).toEqual(['running', 0n, ['seek 0']])
    await receive(0)
    expect(begun()).toEqual([5, 0])
  })

  test('is read from its beginning if another member fences the shard before the old offset is overwritten', async () => {
    const { shard, broker, flow } = await runningShard(new FakeShard(5n))
    broker.faults.push('fenced')
    shard.replaced(IN_0, 0n)
    await flushPromises()
    expect(shard.phase).toBe('fenced')
    shard.heartbeat()
    await flushPromises()
    expect([shard.phase, broker.committed, flow]).toEqual(['running', 0n, ['seek 0']])
  })

  test('keeps its committed offset if the shard is revoked during the claim', async () => {
    const broker = new FakeShard(5n)
    broker.hold()
    const { shard } = shardOn(broker)
    shard.replaced(IN_0, 0n)
    await shard.revoke()
    broker.release()
    await flushPromises()
    expect([broker.transactions, broker.committed, broker.open]).toEqual([[], 5n, 0])
  })
})

describe('a partition that is removed during its transaction', () => {
  test('is not blocked if the transaction fails', async () => {
    const { shard, receive, finish, broker, blocks, clock } = await runningShard(new FakeShard(), {}, BOTH)
    broker.fails = () => true
    await receive(0)
    await finish(0)
    broker.hold()
    await clock.advance(100)
    shard.assign([IN_16])
    broker.release()
    await flushPromises()
    expect([blocks.at(-1), clock.timers]).toEqual([null, 0])
  })

  test('counts a call as repeated only if the transaction was not committed', async () => {
    const { shard, receive, finish, broker, metrics } = await runningShard(new FakeShard(), {}, BOTH)
    await receive(0)
    broker.hold()
    await finish(0)
    shard.assign([IN_16])
    broker.release()
    await flushPromises()
    expect([metrics.of('deferred').length, metrics.of('wastedCall')]).toEqual([1, []])
  })

  test('is claimed and processed if it comes back meanwhile', async () => {
    const { shard, lanes, receive, finish, broker, clock } = await runningShard(new FakeShard(), {}, BOTH)
    const offsets = firstOffsets(600)
    await receive(...offsets)
    broker.hold()
    await finish(...offsets)
    await clock.advance(1_000)
    shard.assign([IN_16])
    shard.assign(BOTH)
    broker.release()
    await flushPromises()
    expect([...shard.lanes].filter((one) => lanes.slice(1).includes(one))).toHaveLength(2)
  })
})

describe('a shard that is revoked', () => {
  test('counts a call that ends during the last transaction once', async () => {
    const { shard, receive, finish, broker, metrics } = await runningShard()
    await receive(0, 1)
    broker.hold()
    await finish(0)
    const revoked = shard.revoke()
    await finish(1)
    broker.release()
    await revoked
    expect(metrics.of('wastedCall')).toHaveLength(1)
  })

  test('while it drains counts a call that must be repeated once', async () => {
    const { shard, receive, finish, broker, metrics } = await runningShard()
    await receive(0)
    broker.hold()
    await finish(0)
    const drained = shard.drain()
    broker.faults.push('failed')
    const revoked = shard.revoke()
    broker.release()
    await Promise.all([drained, revoked])
    expect(metrics.of('wastedCall')).toHaveLength(1)
  })
})
