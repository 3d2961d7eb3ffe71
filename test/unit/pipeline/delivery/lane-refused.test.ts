import { describe, expect, test } from 'vitest'
import type { Outputs, ProcessedRecord } from '../../../../src/pipeline/record/outputs.ts'
import { FakeShard } from '../../../support/fake-shard.ts'
import { flushPromises } from '../../../support/fake-clock.ts'
import { firstOffsets, shardOn, runningShard, written } from '../../../support/shard-bed.ts'

/** The sink rejects these values for good and accepts a dead letter instead. */
function refusing(...values: number[]): FakeShard {
  const broker = new FakeShard(0n)
  broker.refuses = ({ value }) => values.includes(Number(String(value)))
  return broker
}

const replacing: Pick<Outputs, 'replacement'> = {
  replacement: ({ offset }): ProcessedRecord => ({
    outputs: [
      { topic: 'dead', partition: 0, key: null, value: Buffer.from(String(1_000n + offset)), headers: [] },
    ],
    counts: {
      kind: 'dead-letter',
      reason: 'unwritable',
      code: 'MESSAGE_TOO_LARGE',
      source: { topic: 'in', partition: 0, offset },
    },
  }),
}

describe('an output that the brokers reject for good', () => {
  test('is found in a large batch and replaced, while all others are written once and in order', async () => {
    const { receive, finish, broker, clock, metrics } = await runningShard(refusing(17, 63), {
      outputs: replacing,
    })
    await receive(...firstOffsets(100))
    await finish(...firstOffsets(100))
    await clock.advance(2_000)
    const expected = firstOffsets(100).map((offset) =>
      offset === 17 || offset === 63 ? 1_000 + offset : offset,
    )
    expect(written(broker)).toEqual(expected)
    expect(broker.committed).toBe(100n)
    expect(metrics.of('deadLettered')).toEqual([['unwritable'], ['unwritable']])
  })

  test('needs a number of transactions that grows with the logarithm of the batch size, and no other claim', async () => {
    const { receive, finish, broker, clock, metrics } = await runningShard(refusing(17), {
      outputs: replacing,
    })
    await receive(...firstOffsets(128))
    await finish(...firstOffsets(128))
    await clock.advance(2_000)
    expect(broker.committed).toBe(128n)
    expect(metrics.of('transaction').filter(([kind]) => kind === 'refused').length).toBeLessThan(12)
    expect(broker.claims).toBe(1)
  })

  test('blocks its partition if there is no smaller form, with a delay that grows to 30 s', async () => {
    const { receive, finish, broker, clock, blocks, metrics } = await runningShard(refusing(0))
    await receive(0)
    await finish(0)
    expect(blocks.at(-1)).toMatchObject({ partition: 0, offset: 0n, failure: { code: 'MESSAGE_TOO_LARGE' } })
    await clock.advance(600_000)
    const attempts = metrics.of('transaction').length
    expect(attempts).toBeLessThan(32)
    expect(attempts).toBeGreaterThan(20)
    expect(broker.claims).toBe(1)
    broker.refuses = () => false
    await clock.advance(30_000)
    expect([written(broker), blocks.at(-1)]).toEqual([[0], null])
  })

  test('counts towards the dead-letter limit only after it is replaced', async () => {
    const asked: string[] = []
    const { receive, finish, clock } = await runningShard(refusing(1), {
      outputs: replacing,
      deadLetterLimit: { allows: ({ kind }) => asked.push(kind) > 0 },
    })
    await receive(0, 1)
    await finish(0, 1)
    await clock.advance(1_000)
    expect(asked).toEqual(['deferred', 'deferred', 'dead-letter'])
  })
})

describe('a publish that keeps failing', () => {
  test('is retried with a growing delay and blocks the partition from the second failure on', async () => {
    const broker = new FakeShard(0n)
    broker.faults.push(...Array.from({ length: 1_000 }, () => 'denied' as const))
    const { receive, finish, clock, blocks } = await runningShard(broker)
    await receive(0)
    await finish(0)
    await clock.advance(540_000)
    expect(broker.claims).toBeLessThan(30)
    expect(blocks.filter((block) => block === null)).toHaveLength(1)
    broker.faults.length = 0
    await clock.advance(30_000)
    expect([written(broker), blocks.at(-1)]).toEqual([[0], null])
  })

  test('does not delay the end of a draining lane', async () => {
    const broker = new FakeShard(0n)
    broker.faults.push('denied', 'denied')
    const { shard, receive, finish } = await runningShard(broker)
    await receive(0)
    const drained = shard.drain()
    await finish(0)
    await drained
    await flushPromises()
    expect([shard.phase, broker.open]).toEqual(['closed', 0])
  })

  test('is retried after at most one second while brokers are unreachable', async () => {
    const broker = new FakeShard(0n)
    broker.refusals = 100
    const { shard, clock } = shardOn(broker)
    await flushPromises()
    await clock.advance(100_000)
    expect(shard.phase).toBe('running')
  })
})
