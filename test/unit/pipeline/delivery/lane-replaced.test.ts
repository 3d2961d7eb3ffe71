import { expect, test } from 'vitest'
import { flushPromises } from '../../../support/fake-clock.ts'
import { FakeShard } from '../../../support/fake-shard.ts'
import { IN_0, runningShard, shardOn, written } from '../../../support/shard-bed.ts'

/** The partition was recreated and starts at offset 0 again. */
async function replaced() {
  const broker = new FakeShard()
  broker.committed = 5n
  const made = await runningShard(broker)
  await made.receive(5, 6, 7)
  await made.finish(5)
  made.shard.replaced(IN_0, 0n)
  await flushPromises()
  return made
}

test('a recreated partition is read from its beginning, and its offsets are not mistaken for earlier records', async () => {
  const { lane, receive, finish, begun, broker } = await replaced()
  await receive(0, 1)
  expect(begun().slice(-2)).toEqual([0, 1])
  await finish(0, 1)
  await flushPromises()
  expect(written(broker)).toEqual([5, 0, 1])
  expect(broker.committed).toBe(2n)
  expect(lane.backlog).toBe(0)
})

test('the committed offset of the old partition is replaced before a record arrives', async () => {
  const { broker, shard } = await replaced()
  expect(broker.committed).toBe(0n)
  expect(shard.phase).toBe('running')
})

test('a claim fences a transaction that was open for the old partition', async () => {
  const broker = new FakeShard()
  const { shard } = await runningShard(broker)
  const before = broker.claims
  shard.replaced(IN_0, 0n)
  await flushPromises()
  expect(broker.claims).toBe(before + 1)
})

test('buffered records of the old partition are dropped even if their work finishes later', async () => {
  const { finish, broker } = await replaced()
  await finish(6, 7)
  expect(written(broker)).toEqual([5])
})

test('a lane that is claiming starts with the new partition', async () => {
  const broker = new FakeShard()
  broker.committed = 5n
  const { shard, receive, begun } = shardOn(broker)
  shard.replaced(IN_0, 2n)
  await flushPromises()
  await receive(2, 3)
  expect(begun()).toEqual([2, 3])
})
