import { describe, expect, test } from 'vitest'
import { flushPromises } from '../../../support/fake-clock.ts'
import { FakeShard } from '../../../support/fake-shard.ts'
import { inputRecord } from '../../../support/fakes.ts'
import { firstOffsets, runningShard } from '../../../support/shard-bed.ts'

describe('backpressure of a lane', () => {
  test('pauses the partition at its record limit and resumes it at three quarters', async () => {
    const { lane, receive, finish, flow, clock } = await runningShard()
    let received = 0
    while (flow.length === 0) {
      await receive(received)
      received += 1
    }
    expect([flow, lane.backlog]).toEqual([['pause'], received])
    for (let offset = 0; flow.length === 1; offset += 1) {
      await finish(offset)
      await clock.advance(1_000)
    }
    expect([flow, lane.backlog]).toEqual([['pause', 'resume'], (received * 3) / 4])
  })

  test('pauses the partition at its byte limit', async () => {
    const { lane, flow } = await runningShard()
    const value = Buffer.alloc(1024 * 1024)
    for (let offset = 0; flow.length === 0; offset += 1) lane.receive([inputRecord(offset, { value })])
    expect(flow).toEqual(['pause'])
    expect(lane.backlog).toBeLessThan(10)
  })
})

describe('a lane with many records waiting for a permit', () => {
  test('starts only some of its records and one more for each that finishes', async () => {
    const { receive, finish, begun } = await runningShard(new FakeShard(), { mayStartMore: () => false })
    await receive(...firstOffsets(40))
    const atOnce = begun().length
    expect(atOnce).toBeLessThan(40)
    await finish(7)
    expect(begun()).toHaveLength(atOnce + 1)
  })

  test('still processes all its records', async () => {
    const { receive, finish, begun, broker, clock } = await runningShard(new FakeShard(), {
      mayStartMore: () => false,
    })
    await receive(...firstOffsets(40))
    for (let offset = 0; offset < 40; offset += 1) await finish(offset)
    await clock.advance(1_000)
    expect([begun().length, broker.committed]).toEqual([40, 40n])
  })
})

describe('a lane of a retry topic', () => {
  test('starts a record when the delay after its timestamp has passed', async () => {
    const { lane, clock, begun } = await runningShard(new FakeShard(), { delayMs: 10_000 })
    lane.receive([
      inputRecord(0, { timestampMs: clock.epochMs() - 9_000 }),
      inputRecord(1, { timestampMs: clock.epochMs() - 8_000 }),
    ])
    await clock.advance(999)
    expect(begun()).toEqual([])
    await clock.advance(1)
    expect(begun()).toEqual([0])
    await clock.advance(1_000)
    expect(begun()).toEqual([0, 1])
  })

  test('starts a record after its delay even if the wall clock jumps forward or back', async () => {
    const { lane, clock, begun } = await runningShard(new FakeShard(), { delayMs: 10_000 })
    lane.receive([inputRecord(0, { timestampMs: clock.epochMs() })])
    clock.jump(3_600_000)
    await clock.advance(9_999)
    expect(begun()).toEqual([])
    clock.jump(-7_200_000)
    await clock.advance(1)
    expect(begun()).toEqual([0])
  })

  test('waits at most the delay if the timestamp is ahead of the local clock', async () => {
    const { lane, clock, begun } = await runningShard(new FakeShard(), { delayMs: 10_000 })
    lane.receive([inputRecord(0, { timestampMs: clock.epochMs() + 3_600_000 })])
    await clock.advance(9_999)
    expect(begun()).toEqual([])
    await clock.advance(1)
    expect(begun()).toEqual([0])
  })

  test('starts an overdue record at once', async () => {
    const { lane, clock, begun } = await runningShard(new FakeShard(), { delayMs: 10_000 })
    lane.receive([inputRecord(0, { timestampMs: clock.epochMs() - 60_000 })])
    expect(begun()).toEqual([0])
  })
})

test('an unexpected exception in a step is reported as a defect', async () => {
  const { receive, started, defects } = await runningShard()
  await receive(0)
  const defect = new TypeError('a defect')
  started[0]?.reject(defect)
  await flushPromises()
  expect(defects).toEqual([defect])
})

test('a lane opens its transaction while the first call is in progress', async () => {
  const { receive, started, broker } = await runningShard()
  await receive(0)
  started[0]?.context.onCallStarting()
  expect(broker.prepared).toBe(1)
})

test('the lag is counted from the oldest buffered record to the end of the partition', async () => {
  const { lane, receive, finish, metrics } = await runningShard()
  await receive(10, 11)
  lane.progress(12n, 20n)
  await finish(10)
  await finish(11)
  expect(metrics.of('lag').slice(-3)).toEqual([
    ['in', 0, 10],
    ['in', 0, 9],
    ['in', 0, 8],
  ])
  expect(metrics.of('oldestUnsettled').at(-1)).toEqual(['in', 0, null])
})
