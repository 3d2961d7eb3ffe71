import { describe, expect, test } from 'vitest'
import { RecordBudget } from '../../../../src/pipeline/delivery/record-budget.ts'
import { flushPromises } from '../../../support/fake-clock.ts'
import { FakeShard } from '../../../support/fake-shard.ts'
import { firstOffsets, shardOn, runningShard, written } from '../../../support/shard-bed.ts'

describe('a lane whose partition is revoked', () => {
  test('waits for its current transaction and closes its sink', async () => {
    const { shard, receive, finish, broker } = await runningShard()
    await receive(0)
    broker.hold()
    await finish(0)
    const revoked = shard.revoke()
    broker.release()
    await revoked
    expect([written(broker), broker.open, shard.phase]).toEqual([[0], 0, 'closed'])
  })

  test('commits nothing that finishes later and accepts no more records', async () => {
    const { shard, receive, finish, broker, begun } = await runningShard()
    await receive(0)
    await shard.revoke()
    await finish(0)
    await receive(1)
    expect([written(broker), begun()]).toEqual([[], [0]])
  })

  test('cancels its work', async () => {
    const { shard, receive, started } = await runningShard()
    await receive(0)
    await shard.revoke()
    expect(started[0]?.context.isWanted()).toBe(false)
  })

  test('leaves no timers, paused partition or metric series behind', async () => {
    const { shard, receive, finish, clock, flow, metrics } = await runningShard()
    await receive(...firstOffsets(2_000))
    await finish(0)
    await shard.revoke()
    expect([clock.timers, flow]).toEqual([0, ['pause', 'resume']])
    expect(metrics.of('partitionLost')).toEqual([['in', 0]])
  })

  test('frees its budget and stops reporting the partition once its last transaction has ended', async () => {
    const budget = new RecordBudget({ records: 256, bytes: 1024 })
    const whole = budget.limit
    const { shard, receive, finish, flow, metrics, broker } = await runningShard(new FakeShard(), {
      budget,
    })
    await receive(...firstOffsets(2))
    broker.hold()
    await finish(0)
    await receive(...firstOffsets(255).slice(2))
    const revoked = shard.revoke()
    const [changes, lags] = [flow.length, metrics.of('lag').length]
    broker.release()
    await revoked
    expect(written(broker)).toEqual([0])
    expect(budget.limit).toEqual(whole)
    expect([flow.length, metrics.of('lag').length]).toEqual([changes, lags])
  })
})

describe('a draining lane', () => {
  test('starts no more records, commits calls in flight, and drops records that wait for a permit', async () => {
    const { shard, receive, finish, giveUp, broker, begun, started } = await runningShard()
    await receive(0, 1, 2)
    const drained = shard.drain()
    await receive(3)
    expect(started.map(({ context }) => context.isWanted())).toEqual([false, false, false])
    giveUp(2)
    await finish(1)
    expect(shard.phase).toBe('draining')
    await finish(0)
    await drained
    expect([begun(), written(broker), shard.phase]).toEqual([[0, 1, 2], [0, 1], 'closed'])
    expect([broker.committed, broker.open]).toEqual([2n, 0])
  })

  test('waits for calls in flight behind a dropped record although they cannot be committed', async () => {
    const { shard, receive, finish, giveUp, broker } = await runningShard()
    await receive(0, 1)
    const drained = shard.drain()
    giveUp(0)
    await flushPromises()
    expect(shard.phase).toBe('draining')
    await finish(1)
    await drained
    expect([written(broker), broker.committed]).toEqual([[], null])
  })

  test('is done at once if it has no buffered records', async () => {
    const { shard, broker } = await runningShard()
    await shard.drain()
    expect([shard.phase, broker.open]).toEqual(['closed', 0])
  })

  test('commits without waiting for more records', async () => {
    const { shard, receive, finish, giveUp, broker, clock } = await runningShard()
    await receive(...firstOffsets(20))
    await finish(0)
    const drained = shard.drain()
    for (let offset = 1; offset < 20; offset += 1) giveUp(offset)
    await drained
    expect([written(broker), clock.monotonicMs()]).toEqual([[0], 0])
  })

  test('is done at once if it has no claim', async () => {
    const broker = new FakeShard()
    broker.hold()
    const { shard } = shardOn(broker)
    await shard.drain()
    expect(shard.phase).toBe('closed')
  })
})
