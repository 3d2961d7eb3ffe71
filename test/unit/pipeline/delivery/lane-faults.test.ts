import { describe, expect, test } from 'vitest'
import { flushPromises } from '../../../support/fake-clock.ts'
import { FakeShard } from '../../../support/fake-shard.ts'
import { runningShard, written } from '../../../support/shard-bed.ts'

async function fenced() {
  const made = await runningShard(new FakeShard(0n))
  await made.receive(0, 1)
  made.broker.faults.push('fenced')
  await made.finish(0)
  return made
}

describe('a fenced lane', () => {
  test('drops its buffered records and closes its sink', async () => {
    const { shard, lane, broker, metrics } = await fenced()
    expect([shard.phase, lane.backlog, broker.open]).toEqual(['fenced', 0, 0])
    expect([written(broker), metrics.of('deferred')]).toEqual([[], []])
  })

  test('cancels the work in progress', async () => {
    const { started } = await fenced()
    expect(started.map(({ context }) => context.isWanted())).toEqual([false, false])
  })

  test('neither claims nor takes records until a heartbeat succeeds', async () => {
    const { shard, clock, receive, broker, begun } = await fenced()
    await clock.advance(60_000)
    await receive(2)
    expect([shard.phase, broker.claims, begun()]).toEqual(['fenced', 1, [0, 1]])
  })

  test('claims again after a heartbeat and reads from the offset that the other owner committed', async () => {
    const { shard, receive, broker, begun, flow } = await fenced()
    broker.committed = 1n
    shard.heartbeat()
    await flushPromises()
    expect([shard.phase, broker.claims, flow]).toEqual(['running', 2, ['seek 1']])
    await receive(0, 1, 2)
    expect(begun()).toEqual([0, 1, 1, 2])
  })

  test('reads from the beginning if nothing was ever committed', async () => {
    const { shard, broker, flow, receive, begun } = await fenced()
    broker.committed = null
    shard.heartbeat()
    await flushPromises()
    await receive(0)
    expect([flow, begun()]).toEqual([['seek null'], [0, 1, 0]])
  })

  test('does not write outputs of work that started before it was fenced', async () => {
    const { shard, broker, finish } = await fenced()
    shard.heartbeat()
    await flushPromises()
    await finish(1)
    expect(written(broker)).toEqual([])
  })

  test('counts wasted calls, including those that are answered later', async () => {
    const { metrics, finish } = await fenced()
    expect(metrics.of('wastedCall')).toEqual([['repeated']])
    await finish(1)
    expect(metrics.of('wastedCall')).toEqual([['repeated'], ['repeated']])
  })

  test('finishes draining at once', async () => {
    const made = await runningShard(new FakeShard(0n))
    await made.receive(0)
    made.broker.faults.push('fenced')
    const drained = made.shard.drain()
    await made.finish(0)
    await drained
    expect([made.shard.phase, made.broker.open]).toEqual(['closed', 0])
  })
})

describe('after a failed transaction, a lane', () => {
  test('claims again and commits its finished records without calling again', async () => {
    const { receive, finish, broker, begun, flow } = await runningShard(new FakeShard(0n))
    await receive(0, 1)
    broker.faults.push('failed')
    await finish(1, 0)
    expect(broker.claims).toBe(2)
    expect([begun(), written(broker), flow]).toEqual([[0, 1], [0, 1], []])
  })

  test('does not restart records even if its first buffered record follows an offset gap', async () => {
    const { receive, finish, broker, begun, flow } = await runningShard(new FakeShard(0n))
    await receive(0)
    await finish(0)
    await receive(5, 6)
    broker.faults.push('failed')
    await finish(5)
    expect([begun(), flow]).toEqual([[0, 5, 6], []])
    expect([written(broker), broker.committed]).toEqual([[0, 5], 6n])
  })

  test('does not cancel work in progress', async () => {
    const { receive, finish, broker, started } = await runningShard()
    await receive(0, 1)
    broker.faults.push('failed')
    await finish(0)
    expect(started[1]?.context.isWanted()).toBe(true)
    await finish(1)
    expect(written(broker)).toEqual([0, 1])
  })

  test('counts records once and does not commit them again if the transaction had committed', async () => {
    const { receive, finish, broker, metrics, begun } = await runningShard(new FakeShard(0n))
    await receive(0, 1, 2)
    broker.faults.push('lost')
    await finish(1, 0)
    expect([written(broker), begun()]).toEqual([
      [0, 1],
      [0, 1, 2],
    ])
    expect(metrics.of('deferred')).toHaveLength(2)
    await finish(2)
    expect([written(broker), metrics.of('deferred').length]).toEqual([[0, 1, 2], 3])
  })

  test('starts no record until the new claim succeeds', async () => {
    const { receive, finish, broker, begun, shard, clock } = await runningShard()
    await receive(0)
    broker.faults.push('failed')
    broker.refusals = 1
    await finish(0)
    await receive(1)
    expect([shard.phase, begun()]).toEqual(['claiming', [0]])
    await clock.advance(100)
    expect([shard.phase, begun(), written(broker)]).toEqual(['running', [0, 1], [0]])
  })

  test('drops records that another owner has committed, including ones not fetched yet', async () => {
    const { receive, finish, broker, begun } = await runningShard(new FakeShard(0n))
    await receive(0, 1)
    broker.faults.push('failed')
    broker.committed = 4n
    await finish(0)
    await receive(2, 3, 4)
    expect(begun()).toEqual([0, 1, 4])
  })
})
