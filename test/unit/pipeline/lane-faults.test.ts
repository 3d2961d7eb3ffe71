import { describe, expect, test } from 'vitest'
import { flushPromises } from '../../support/fake-clock.ts'
import { FakePartition } from '../../support/fake-partition.ts'
import { runningLane, written } from '../../support/lane.ts'

async function fenced() {
  const made = await runningLane(new FakePartition(0n))
  await made.receive(0, 1)
  made.partition.faults.push('fenced')
  await made.finish(0)
  return made
}

describe('a fenced lane', () => {
  test('drops its buffered records and closes its sink', async () => {
    const { lane, partition, metrics } = await fenced()
    expect([lane.state, lane.backlog, partition.open]).toEqual(['fenced', 0, 0])
    expect([written(partition), metrics.of('deferred')]).toEqual([[], []])
  })

  test('cancels the work in progress', async () => {
    const { started } = await fenced()
    expect(started.map(({ context }) => context.isWanted())).toEqual([false, false])
  })

  test('neither claims nor takes records until a heartbeat succeeds', async () => {
    const { lane, clock, receive, partition, begun } = await fenced()
    await clock.advance(60_000)
    await receive(2)
    expect([lane.state, partition.claims, begun()]).toEqual(['fenced', 1, [0, 1]])
  })

  test('claims again after a heartbeat and reads from the offset that the other owner committed', async () => {
    const { lane, receive, partition, begun, flow } = await fenced()
    partition.committed = 1n
    lane.heartbeat()
    await flushPromises()
    expect([lane.state, partition.claims, flow]).toEqual(['running', 2, ['seek 1']])
    await receive(0, 1, 2)
    expect(begun()).toEqual([0, 1, 1, 2])
  })

  test('reads from the beginning if nothing was ever committed', async () => {
    const { lane, partition, flow, receive, begun } = await fenced()
    partition.committed = null
    lane.heartbeat()
    await flushPromises()
    await receive(0)
    expect([flow, begun()]).toEqual([['seek null'], [0, 1, 0]])
  })

  test('does not write outputs of work that started before it was fenced', async () => {
    const { lane, partition, finish } = await fenced()
    lane.heartbeat()
    await flushPromises()
    await finish(1)
    expect(written(partition)).toEqual([])
  })

  test('counts wasted calls, including those that are answered later', async () => {
    const { metrics, finish } = await fenced()
    expect(metrics.of('wastedCall')).toEqual([['repeated']])
    await finish(1)
    expect(metrics.of('wastedCall')).toEqual([['repeated'], ['repeated']])
  })

  test('finishes draining at once', async () => {
    const made = await runningLane(new FakePartition(0n))
    await made.receive(0)
    made.partition.faults.push('fenced')
    const drained = made.lane.drain()
    await made.finish(0)
    await drained
    expect([made.lane.state, made.partition.open]).toEqual(['closed', 0])
  })
})

describe('after a failed transaction, a lane', () => {
  test('claims again and commits its finished records without calling again', async () => {
    const { receive, finish, partition, begun, flow } = await runningLane(new FakePartition(0n))
    await receive(0, 1)
    partition.faults.push('failed')
    await finish(1, 0)
    expect(partition.claims).toBe(2)
    expect([begun(), written(partition), flow]).toEqual([[0, 1], [0, 1], []])
  })

  test('does not restart records even if its first buffered record follows an offset gap', async () => {
    const { receive, finish, partition, begun, flow } = await runningLane(new FakePartition(0n))
    await receive(0)
    await finish(0)
    await receive(5, 6)
    partition.faults.push('failed')
    await finish(5)
    expect([begun(), flow]).toEqual([[0, 5, 6], []])
    expect([written(partition), partition.committed]).toEqual([[0, 5], 6n])
  })

  test('does not cancel work in progress', async () => {
    const { receive, finish, partition, started } = await runningLane()
    await receive(0, 1)
    partition.faults.push('failed')
    await finish(0)
    expect(started[1]?.context.isWanted()).toBe(true)
    await finish(1)
    expect(written(partition)).toEqual([0, 1])
  })

  test('counts records once and does not commit them again if the transaction had committed', async () => {
    const { receive, finish, partition, metrics, begun } = await runningLane(new FakePartition(0n))
    await receive(0, 1, 2)
    partition.faults.push('lost')
    await finish(1, 0)
    expect([written(partition), begun()]).toEqual([
      [0, 1],
      [0, 1, 2],
    ])
    expect(metrics.of('deferred')).toHaveLength(2)
    await finish(2)
    expect([written(partition), metrics.of('deferred').length]).toEqual([[0, 1, 2], 3])
  })

  test('starts no record until the new claim succeeds', async () => {
    const { receive, finish, partition, begun, lane, clock } = await runningLane()
    await receive(0)
    partition.faults.push('failed')
    partition.refusals = 1
    await finish(0)
    await receive(1)
    expect([lane.state, begun()]).toEqual(['claiming', [0]])
    await clock.advance(100)
    expect([lane.state, begun(), written(partition)]).toEqual(['running', [0, 1], [0]])
  })

  test('drops records that another owner has committed, including ones not fetched yet', async () => {
    const { receive, finish, partition, begun } = await runningLane(new FakePartition(0n))
    await receive(0, 1)
    partition.faults.push('failed')
    partition.committed = 4n
    await finish(0)
    await receive(2, 3, 4)
    expect(begun()).toEqual([0, 1, 4])
  })
})
