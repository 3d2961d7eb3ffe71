import { expect, test } from 'vitest'
import { flushPromises } from '../../support/fake-clock.ts'
import { FakePartition } from '../../support/fake-partition.ts'
import { laneOn, runningLane, written } from '../../support/lane.ts'

/** The log is another one, which begins at 0. */
async function replaced() {
  const partition = new FakePartition()
  partition.committed = 5n
  const made = await runningLane(partition)
  await made.receive(5, 6, 7)
  await made.finish(5)
  await made.lane.replaced(0n)
  await flushPromises()
  return made
}

test('a log that was replaced is read from its beginning: nothing of it is taken for a record that came before', async () => {
  const { lane, receive, finish, begun, partition } = await replaced()
  await receive(0, 1)
  expect(begun().slice(-2)).toEqual([0, 1])
  await finish(0, 1)
  await flushPromises()
  expect(written(partition)).toEqual([5, 0, 1])
  expect(partition.committed).toBe(2n)
  expect(lane.backlog).toBe(0)
})

test('the offset of the log before does not stand for the new one, even before a record has come', async () => {
  const { partition, lane } = await replaced()
  expect(partition.committed).toBe(0n)
  expect(lane.state).toBe('running')
})

test('a transaction that was open for the log before is fenced by a claim', async () => {
  const partition = new FakePartition()
  const { lane } = await runningLane(partition)
  const before = partition.claims
  await lane.replaced(0n)
  await flushPromises()
  expect(partition.claims).toBe(before + 1)
})

test('what was in hand comes to nothing, also when its work ends later', async () => {
  const { finish, partition } = await replaced()
  await finish(6, 7)
  expect(written(partition)).toEqual([5])
})

test('a lane that is claiming starts with the new log', async () => {
  const partition = new FakePartition()
  partition.committed = 5n
  const { lane, receive, begun } = laneOn(partition)
  lane.start()
  await lane.replaced(2n)
  await flushPromises()
  await receive(2, 3)
  expect(begun()).toEqual([2, 3])
})
