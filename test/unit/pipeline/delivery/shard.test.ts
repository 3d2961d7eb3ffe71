import { describe, expect, test } from 'vitest'
import type { ClaimShard, OutputSink } from '../../../../src/ports.ts'
import { flushPromises } from '../../../support/fake-clock.ts'
import { FakeShard } from '../../../support/fake-shard.ts'
import { inputRecord } from '../../../support/fakes.ts'
import { firstOffsets, IN_0, runningShard, shardOn } from '../../../support/shard-bed.ts'

const IN_16 = { topic: 'in', partition: 16 }
const BOTH = [IN_0, IN_16]

/** Two lanes in one shard. Offsets of the second one begin at 100. */
async function twoLanes(broker = new FakeShard(), changes: Parameters<typeof runningShard>[1] = {}) {
  const made = await runningShard(broker, changes, BOTH)
  const second = made.lanes[1]
  if (second === undefined) throw new Error('The second lane is missing.')
  const receiveBoth = async (count: number): Promise<void> => {
    made.lane.receive(firstOffsets(count).map((offset) => inputRecord(offset)))
    second.receive(firstOffsets(count).map((offset) => inputRecord(100 + offset, IN_16)))
    await flushPromises()
  }
  return { ...made, second, receiveBoth }
}

/** The output of offset 0 cannot be written. */
function failing(): FakeShard {
  const broker = new FakeShard()
  broker.fails = ({ value }) => Number(String(value)) === 0
  return broker
}

function values({ outputs }: FakeShard): number[] {
  return outputs.map(({ value }) => Number(String(value)))
}

describe('a transaction of a shard', () => {
  test('contains what has finished on all its lanes, and their offsets', async () => {
    const { receiveBoth, finish, broker } = await twoLanes()
    await receiveBoth(1)
    broker.hold()
    await finish(0)
    await finish(100)
    await receiveBoth(2)
    await finish(1, 101)
    broker.release()
    await flushPromises()
    expect(broker.transactions.map(([outputs]) => outputs)).toEqual([1, 3])
    expect(Object.fromEntries(broker.offsets)).toEqual({ 'in:0': 2n, 'in:16': 102n })
  })

  test('contains at most 500 records, and the lane that has waited longest comes first', async () => {
    const { receiveBoth, finish, broker, clock } = await twoLanes()
    await receiveBoth(90)
    await finish(...firstOffsets(90))
    await finish(...firstOffsets(90).map((offset) => 100 + offset))
    await clock.advance(1_000)
    expect(broker.offsets.get('in:16')).toBe(190n)
    expect(values(broker)).toHaveLength(180)
  })

  test('does not wait for records of a retry topic that are not due', async () => {
    const { shard, lanes, receive, finish, broker, clock } = await runningShard()
    shard.assign([IN_0, { topic: 'retry', partition: 0 }])
    await flushPromises()
    lanes[1]?.receive(
      firstOffsets(20).map((offset) =>
        inputRecord(offset, { topic: 'retry', timestampMs: clock.epochMs() + 60_000 }),
      ),
    )
    await receive(0)
    await finish(0)
    expect(broker.transactions).toEqual([[1, 1n]])
  })
})

describe('a lane whose outputs cannot be written', () => {
  test('is committed alone and waits, while the other lanes of its shard go on', async () => {
    const { receiveBoth, finish, broker, clock, blocks } = await twoLanes(failing())
    await receiveBoth(3)
    await finish(0, 100)
    await clock.advance(10_000)
    await finish(1, 101, 102)
    await clock.advance(10_000)
    expect(values(broker)).toEqual([100, 101, 102])
    expect(broker.offsets.get('in:16')).toBe(103n)
    expect(blocks.findLast((block) => block !== null)).toMatchObject({ partition: 0, offset: 0n })
  })

  test('goes on as soon as its outputs are accepted', async () => {
    const { receiveBoth, finish, broker, clock, blocks } = await twoLanes(failing())
    await receiveBoth(1)
    await finish(0, 100)
    await clock.advance(5_000)
    broker.fails = () => false
    await clock.advance(30_000)
    expect(values(broker)).toEqual([100, 0])
    expect(blocks.at(-1)).toBeNull()
  })

  test('is logged once, not with every attempt', async () => {
    const { receiveBoth, finish, clock, log } = await twoLanes(failing())
    await receiveBoth(1)
    await finish(0, 100)
    await clock.advance(60_000)
    expect(log.lines).toEqual([
      'Outputs could not be written. The service claims the partitions again and retries.',
    ])
  })

  test('takes turns with the others if each attempt takes long and another lane cannot be written either', async () => {
    const IN_32 = { topic: 'in', partition: 32 }
    const broker = new FakeShard()
    broker.fails = ({ value }) => Number(String(value)) < 200
    const slowly: ClaimShard = async (...of) => {
      const claimed = await broker.claim(...of)
      if (claimed.kind === 'failed') return claimed
      const { sink } = claimed
      const publish: OutputSink['publish'] = async (outputs, offsets) => {
        if (outputs.some((output) => broker.fails(output)))
          await new Promise<void>((resolve) => void made.clock.after(30_000, resolve))
        return sink.publish(outputs, offsets)
      }
      return { kind: 'claimed', sink: { ...sink, publish } }
    }
    const made = await runningShard(broker, { claim: slowly }, [IN_0, IN_16, IN_32])
    for (const [at, lane] of made.lanes.entries())
      lane.receive([inputRecord(at * 100, { topic: 'in', partition: lane.partition })])
    await flushPromises()
    await made.finish(0, 100)
    await made.clock.advance(60_000)
    await made.finish(200)
    await made.clock.advance(60_000)
    expect(values(broker)).toEqual([200])
  })

  test('does not hold up the others if the output is rejected for good', async () => {
    const broker = new FakeShard()
    broker.refuses = ({ value }) => Number(String(value)) === 0
    const { receiveBoth, finish, clock } = await twoLanes(broker)
    await receiveBoth(3)
    await finish(0, 1, 100, 101, 102)
    await clock.advance(10_000)
    expect(values(broker)).toEqual([100, 101, 102])
  })
})

describe('a shard whose partitions change', () => {
  test('claims again for a new partition and keeps the calls in flight of the others', async () => {
    const { shard, receive, finish, broker, started } = await runningShard()
    await receive(0)
    broker.offsets.set('in:16', 40n)
    shard.assign(BOTH)
    await flushPromises()
    expect([shard.phase, broker.claims, shard.committedOffset(IN_16)]).toEqual(['running', 2, 40n])
    expect(started[0]?.context.isWanted()).toBe(true)
    await finish(0)
    expect(values(broker)).toEqual([0])
  })

  test('claims again if a partition is added during a claim', async () => {
    const broker = new FakeShard()
    broker.hold()
    const { shard } = shardOn(broker)
    shard.assign(BOTH)
    broker.release()
    await flushPromises()
    expect([shard.phase, broker.claims, broker.open]).toEqual(['running', 2, 1])
  })

  test('reads a partition that was added while it was fenced from the committed offset', async () => {
    const { shard, lanes, receive, finish, broker, flow } = await runningShard()
    await receive(0)
    broker.faults.push('fenced')
    await finish(0)
    shard.assign(BOTH)
    lanes[1]?.receive([inputRecord(7, IN_16)])
    broker.offsets.set('in:16', 7n)
    shard.heartbeat()
    await flushPromises()
    expect(flow).toEqual(['seek null', 'seek 7'])
  })

  test('closes the lane of a partition that is gone, without another claim', async () => {
    const { shard, second, receiveBoth, finish, broker, metrics, begun } = await twoLanes()
    await receiveBoth(1)
    shard.assign([IN_0])
    second.receive([inputRecord(101, IN_16)])
    await finish(0, 100)
    expect([begun(), values(broker), broker.claims]).toEqual([[0, 100], [0], 1])
    expect(metrics.of('partitionLost')).toEqual([['in', 16]])
  })

  test('replaces the committed offset of a replaced partition only', async () => {
    const { shard, receiveBoth, finish, broker } = await twoLanes()
    await receiveBoth(2)
    await finish(0, 100)
    shard.replaced(IN_0, 0n)
    await flushPromises()
    expect(Object.fromEntries(broker.offsets)).toEqual({ 'in:0': 0n, 'in:16': 101n })
    await finish(101)
    expect(broker.offsets.get('in:16')).toBe(102n)
  })
})
