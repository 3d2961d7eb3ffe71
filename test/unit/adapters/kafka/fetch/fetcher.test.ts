import { beforeEach, describe, expect, test } from 'vitest'
import { batchAt } from '../../../../support/fake-broker.ts'
import { flushPromises } from '../../../../support/fake-clock.ts'
import { at, FetcherBed, unreachable } from '../../../../support/fetcher-bed.ts'

const refused = { errorCode: 29 } as const
const NOT_LEADER = 6
const SESSION_NOT_FOUND = 70

let bed: FetcherBed

beforeEach(() => {
  bed = new FetcherBed()
})

describe('fetch positions', () => {
  test('start at the committed offset, or at the start of the partition', async () => {
    bed.committed.set('in:0', 5n)
    bed.listed.set('in:1', { earliest: 3n, latest: 9n })
    await bed.assign([0, 1])
    expect(bed.asked()?.asked).toEqual(['in:0@5', 'in:1@3'])
  })

  test('move past the last record of a received batch', async () => {
    bed.committed.set('in:0', 5n)
    await bed.assign([0])
    await bed.answer(at(0, { records: await batchAt(4n, ['a', 'b', 'c']), highWatermark: 9n }))
    expect(bed.records).toEqual(['in:0 5=b 6=c'])
    expect(bed.progress).toEqual(['in:0 at 7 of 9'])
    expect(bed.asked()).toMatchObject({ sessionId: 7, epoch: 1, asked: ['in:0@7'] })
  })

  test('are kept for a retained partition, and looked up again if another member owned it meanwhile', async () => {
    bed.committed.set('in:0', 5n)
    await bed.assign([0])
    await bed.answer(at(0, { records: await batchAt(5n, ['a']) }))
    await bed.assign([0, 1])
    await bed.answer(null)
    expect(bed.asked()?.asked).toEqual(['in:1@0'])
    await bed.assign([0, 1], { isSameMember: false })
    await bed.answer(null)
    await bed.answer({ errorCode: SESSION_NOT_FOUND, partitions: [] })
    expect(bed.asked()?.asked).toContain('in:0@5')
  })
})

describe('fetched records', () => {
  beforeEach(async () => {
    bed.committed.set('in:0', 5n)
    await bed.assign([0])
  })

  test('are dropped if their partition was revoked meanwhile', async () => {
    await bed.assign([1])
    await bed.answer(at(0, { records: await batchAt(5n, ['a']) }))
    expect(bed.records).toEqual([])
  })

  test('are dropped if the position of their partition was changed meanwhile', async () => {
    bed.fetcher.flow('in', 0).seek(2n)
    await bed.answer(at(0, { records: await batchAt(5n, ['a']) }))
    expect(bed.records).toEqual([])
    expect(bed.asked()?.asked).toEqual(['in:0@2'])
  })

  test('are dropped if their partition is paused, and fetched again after it resumes', async () => {
    const flow = bed.fetcher.flow('in', 0)
    flow.pause()
    await bed.answer(at(0, { records: await batchAt(5n, ['a']) }))
    expect(bed.records).toEqual([])
    const before = bed.fetches()
    await bed.clock.advance(2_000)
    expect(bed.fetches()).toBe(before)
    flow.resume()
    await flushPromises()
    expect(bed.fetches()).toBe(before + 1)
  })
})

describe('a fetch request', () => {
  test('waits up to 500 ms for records, and only 50 ms after a partition was paused', async () => {
    await bed.assign([0, 1])
    expect(bed.asked()?.maxWaitMs).toBe(500)
    bed.fetcher.flow('in', 1).pause()
    await bed.answer(null)
    expect(bed.asked()).toMatchObject({ maxWaitMs: 50, forgotten: ['in:1'] })
  })

  test('has a maximum response size', async () => {
    await bed.assign([0])
    expect(bed.asked()?.maxBytes).toBe(512 * 1024)
  })

  test('rotates partitions for a broker without fetch sessions: one that had records goes to the end', async () => {
    await bed.assign([0, 1])
    expect(bed.asked()?.asked).toEqual(['in:0@0', 'in:1@0'])
    await bed.answer({ sessionId: 0, partitions: [at(0, { records: await batchAt(0n, ['a']) })] })
    expect(bed.asked()?.asked).toEqual(['in:1@0', 'in:0@1'])
  })

  test('lists all partitions again if the broker has lost the session', async () => {
    await bed.assign([0, 1])
    await bed.answer(null)
    await bed.answer({ errorCode: SESSION_NOT_FOUND, partitions: [] })
    expect(bed.asked()).toMatchObject({ epoch: 0, asked: ['in:0@0', 'in:1@0'] })
    expect(bed.errors).toEqual([])
  })

  test('a fetch request to one broker does not wait for other brokers', async () => {
    await bed.assign([0, 2])
    await bed.answer(at(2, { records: await batchAt(0n, ['c']) }), 2)
    await bed.answer(null, 2)
    expect(bed.records).toEqual(['in:2 0=c'])
    expect([bed.fetches(1), bed.fetches(2)]).toEqual([1, 3])
  })
})

describe('a moved partition', () => {
  test('is fetched from the new leader at the same position', async () => {
    await bed.assign([0, 1])
    await bed.answer(at(0, { records: await batchAt(0n, ['a']) }))
    bed.leaders.set(0, 2)
    await bed.answer(at(0, { errorCode: NOT_LEADER }))
    await bed.clock.advance(100)
    expect(bed.refreshes).toBe(1)
    expect(bed.asked(2)?.asked).toEqual(['in:0@1'])
    expect(bed.asked(1)?.forgotten).toEqual(['in:0'])
  })

  test('is fetched from its new leader at once if its broker is unreachable', async () => {
    await bed.assign([0, 2])
    bed.leaders.set(0, 2)
    await bed.answer(unreachable())
    await bed.answer(null, 2)
    expect(bed.asked(2)?.asked).toEqual(['in:0@0'])
  })

  test('a partition without a leader is looked up until it has one', async () => {
    await bed.assign([0])
    bed.leaders.set(0, -1)
    await bed.answer(at(0, { errorCode: NOT_LEADER }))
    bed.leaders.set(0, 2)
    await bed.fetcher.refresh()
    await bed.clock.advance(100)
    expect(bed.asked(2)?.asked).toEqual(['in:0@0'])
  })
})

test('a broker that keeps failing is called less and less often', async () => {
  await bed.assign([0])
  const seenAtMs: number[] = []
  for (let failures = 0; failures < 6; failures += 1) {
    await bed.answer(unreachable())
    const before = bed.fetches()
    while (bed.fetches() === before) await bed.clock.advance(50)
    seenAtMs.push(bed.clock.monotonicMs())
  }
  expect(seenAtMs).toEqual([100, 300, 700, 1_500, 2_500, 3_500])
})

test('a missing permission ends the fetcher', async () => {
  await bed.assign([0])
  await bed.answer(at(0, refused))
  expect(bed.errors).toMatchObject([{ type: 'TOPIC_AUTHORIZATION_FAILED' }])
})

test('nothing is fetched after the fetcher is closed', async () => {
  await bed.assign([0])
  bed.fetcher.close()
  await bed.answer(at(0, { records: await batchAt(0n, ['a']) }))
  await bed.clock.advance(1_000)
  expect(bed.records).toEqual([])
  expect(bed.fetches()).toBe(1)
})
