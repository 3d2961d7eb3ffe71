import { expect, test } from 'vitest'
import { flushPromises } from '../../support/fake-clock.ts'
import { FakePartition } from '../../support/fake-partition.ts'
import { laneOn, runningLane, written } from '../../support/lane.ts'

/** The partition was recreated and starts at offset 0 again. */
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

test('a recreated partition is read from its beginning, and its offsets are not mistaken for earlier records', async () => {
  const { lane, receive, finish, begun, partition } = await replaced()
  await receive(0, 1)
  expect(begun().slice(-2)).toEqual([0, 1])
  await finish(0, 1)
  await flushPromises()
  expect(written(partition)).toEqual([5, 0, 1])
  expect(partition.committed).toBe(2n)
  expect(lane.backlog).toBe(0)
})

test('the committed offset of the old partition is replaced before a record arrives', async () => {
  const { partition, lane } = await replaced()
  expect(partition.committed).toBe(0n)
  expect(lane.state).toBe('running')
})

test('a claim fences a transaction that was open for the old partition', async () => {
  const partition = new FakePartition()
  const { lane } = await runningLane(partition)
  const before = partition.claims
  await lane.replaced(0n)
  await flushPromises()
  expect(partition.claims).toBe(before + 1)
})

test('buffered records of the old partition are dropped even if their work finishes later', async () => {
  const { finish, partition } = await replaced()
  await finish(6, 7)
  expect(written(partition)).toEqual([5])
})

test('a lane that is claiming starts with the new partition', async () => {
  const partition = new FakePartition()
  partition.committed = 5n
  const { lane, receive, begun } = laneOn(partition)
  lane.start()
  await lane.replaced(2n)
  await flushPromises()
  await receive(2, 3)
  expect(begun()).toEqual([2, 3])
})
