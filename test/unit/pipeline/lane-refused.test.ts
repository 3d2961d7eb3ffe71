import { describe, expect, test } from 'vitest'
import type { Outputs, ProcessedRecord } from '../../../src/pipeline/outputs.ts'
import { FakePartition } from '../../support/fake-partition.ts'
import { flushPromises } from '../../support/fake-clock.ts'
import { firstOffsets, laneOn, runningLane, written } from '../../support/lane.ts'

/** The sink rejects these values for good and accepts a dead letter instead. */
function refusing(...values: number[]): FakePartition {
  const partition = new FakePartition(0n)
  partition.refuses = ({ value }) => values.includes(Number(String(value)))
  return partition
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
    const { receive, finish, partition, clock, metrics } = await runningLane(refusing(17, 63), {
      outputs: replacing,
    })
    await receive(...firstOffsets(100))
    await finish(...firstOffsets(100))
    await clock.advance(2_000)
    const expected = firstOffsets(100).map((offset) =>
      offset === 17 || offset === 63 ? 1_000 + offset : offset,
    )
    expect(written(partition)).toEqual(expected)
    expect(partition.committed).toBe(100n)
    expect(metrics.of('deadLettered')).toEqual([['unwritable'], ['unwritable']])
  })

  test('needs a number of claims that grows with the logarithm of the batch size', async () => {
    const { receive, finish, partition, clock } = await runningLane(refusing(17), { outputs: replacing })
    await receive(...firstOffsets(128))
    await finish(...firstOffsets(128))
    await clock.advance(2_000)
    expect(partition.committed).toBe(128n)
    expect(partition.claims).toBeLessThan(12)
  })

  test('blocks its partition if there is no smaller form, with a delay that grows to 30 s', async () => {
    const { receive, finish, partition, clock, blocks } = await runningLane(refusing(0))
    await receive(0)
    await finish(0)
    expect(blocks.at(-1)).toMatchObject({ partition: 0, offset: 0n, failure: { code: 'MESSAGE_TOO_LARGE' } })
    await clock.advance(600_000)
    expect(partition.claims).toBeLessThan(32)
    expect(partition.claims).toBeGreaterThan(20)
    partition.refuses = () => false
    await clock.advance(30_000)
    expect([written(partition), blocks.at(-1)]).toEqual([[0], null])
  })

  test('counts towards the dead-letter limit only after it is replaced', async () => {
    const asked: string[] = []
    const { receive, finish, clock } = await runningLane(refusing(1), {
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
    const partition = new FakePartition(0n)
    partition.faults.push(...Array.from({ length: 1_000 }, () => 'denied' as const))
    const { receive, finish, clock, blocks } = await runningLane(partition)
    await receive(0)
    await finish(0)
    await clock.advance(540_000)
    expect(partition.claims).toBeLessThan(30)
    expect(blocks.filter((block) => block === null)).toHaveLength(1)
    partition.faults.length = 0
    await clock.advance(30_000)
    expect([written(partition), blocks.at(-1)]).toEqual([[0], null])
  })

  test('does not delay the end of a draining lane', async () => {
    const partition = new FakePartition(0n)
    partition.faults.push('denied', 'denied')
    const { lane, receive, finish } = await runningLane(partition)
    await receive(0)
    const drained = lane.drain()
    await finish(0)
    await drained
    await flushPromises()
    expect([lane.state, partition.open]).toEqual(['closed', 0])
  })

  test('is retried after at most one second while brokers are unreachable', async () => {
    const partition = new FakePartition(0n)
    partition.refusals = 100
    const { lane, clock } = laneOn(partition)
    lane.start()
    await flushPromises()
    await clock.advance(100_000)
    expect(lane.state).toBe('running')
  })
})
