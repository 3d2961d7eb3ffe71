import { beforeEach, describe, expect, test } from 'vitest'
import { batchAt, type FakePartitionAnswer } from '../../../../support/fake-broker.ts'
import { at, FetcherBed } from '../../../../support/fetcher-bed.ts'

const OUT_OF_RANGE = 1
const UNKNOWN_TOPIC = 3

let bed: FetcherBed

beforeEach(() => {
  bed = new FetcherBed()
})

const refusal = (partition: number): FakePartitionAnswer => at(partition, { errorCode: OUT_OF_RANGE })

const missing = async (): Promise<void> => {
  await bed.answer(at(0, { errorCode: UNKNOWN_TOPIC }))
  await bed.clock.advance(1_100)
}

describe('a partition without a committed offset', () => {
  beforeEach(() => {
    bed.listed.set('in:0', { earliest: 3n, latest: 103n })
    bed.listed.set('in:1', { earliest: 0n, latest: 20n })
  })

  test('is read from the beginning with a warning about the number of records', async () => {
    await bed.assign([0, 1])
    expect(bed.asked()?.asked).toEqual(['in:0@3', 'in:1@0'])
    expect(bed.log.lines).toEqual([expect.stringMatching(/no committed offset.*KAFKA_START_OFFSET=latest/)])
    expect(bed.commits).toEqual([])
  })

  test('starts at the end if configured, and commits that offset before reading', async () => {
    bed.start = 'latest'
    await bed.assign([0, 1])
    expect(bed.asked()?.asked).toEqual(['in:0@103', 'in:1@20'])
    expect(bed.commits).toEqual(['in:0@103', 'in:1@20'])
    expect(bed.log.lines).toEqual([expect.stringMatching(/the service skips/)])
  })

  test('a partition that was added later is read from the beginning, and its first offset is committed so that no restart skips records', async () => {
    bed.start = 'added'
    bed.listed.set('in:1', { earliest: 0n, latest: 0n })
    await bed.assign([0, 1])
    expect(bed.asked()?.asked).toEqual(['in:0@3', 'in:1@0'])
    expect(bed.commits).toEqual(['in:0@3', 'in:1@0'])
  })

  test('an empty partition gives no warning', async () => {
    bed.listed.clear()
    await bed.assign([0, 1])
    expect(bed.log.lines).toEqual([])
  })
})

describe('a position that is out of range', () => {
  beforeEach(async () => {
    bed.committed.set('in:0', 5n).set('in:1', 5n)
    await bed.assign([0, 1])
  })

  test('moves to the oldest record if records were deleted, and lost records are counted', async () => {
    bed.listed.set('in:0', { earliest: 8n, latest: 20n }).set('in:1', { earliest: 105n, latest: 105n })
    await bed.answer({ partitions: [refusal(0), refusal(1)] })
    expect(bed.asked()?.asked).toEqual(['in:0@8', 'in:1@105'])
    expect(bed.lost).toEqual(['0: 3', '1: 100'])
    expect(bed.log.lines).toEqual(Array.from({ length: 2 }, () => expect.stringMatching(/deleted before/)))
    expect(bed.replaced).toEqual([])
  })

  test('counts lost records once even if the lane reads again from the committed offset', async () => {
    bed.listed.set('in:0', { earliest: 8n, latest: 20n })
    await bed.answer(refusal(0))
    bed.fetcher.flow('in', 0).seek(5n)
    await bed.answer(null)
    await bed.answer(refusal(0))
    expect(bed.asked()?.asked).toEqual(['in:0@8'])
    expect(bed.lost).toEqual(['0: 3'])
  })

  test('starts again from the beginning if the partition became shorter', async () => {
    bed.listed.set('in:0', { earliest: 1n, latest: 4n })
    await bed.answer(refusal(0))
    expect(bed.replaced).toEqual(['0 from 1'])
    expect(bed.asked()?.asked).toEqual(['in:0@1'])
    expect(bed.log.lines).toEqual([expect.stringMatching(/replaced or truncated/)])
  })

  test('is requested again after a delay if the partition contains it', async () => {
    bed.listed.set('in:0', { earliest: 0n, latest: 9n })
    await bed.answer(refusal(0))
    expect(bed.asked()?.asked).toEqual([])
    await bed.answer(null)
    await bed.clock.advance(1_000)
    await bed.answer(null)
    expect(bed.asked()?.asked).toEqual(['in:0@5'])
    expect(bed.log.lines).toEqual([])
  })
})

describe('a topic that was missing for a moment', () => {
  beforeEach(async () => {
    bed.committed.set('in:0', 5n)
    bed.listed.set('in:0', { earliest: 0n, latest: 100n })
    await bed.assign([0])
  })

  test('continues if it is the same topic', async () => {
    await missing()
    await bed.answer(at(0, { records: await batchAt(5n, ['a']) }))
    expect(bed.replaced).toEqual([])
    expect(bed.records).toEqual(['in:0 5=a'])
  })

  test('is read from its beginning if it has another id, however many records it has', async () => {
    bed.onRefresh = () => {
      bed.onRefresh = () => {}
      bed.fetcher.replaced('in')
    }
    await missing()
    expect(bed.replaced).toEqual(['0 from 0'])
    expect(bed.asked()?.asked).toEqual(['in:0@0'])
  })

  test('is read from its beginning if it has another id, even if a lane seeks to an old offset', async () => {
    bed.fetcher.replaced('in')
    bed.fetcher.flow('in', 0).seek(5n)
    await bed.answer(null)
    expect(bed.replaced).toEqual(['0 from 0'])
    expect(bed.asked()?.asked).toEqual(['in:0@0'])
  })

  test('is read from its beginning if there are no topic ids and the committed offset is gone', async () => {
    bed.hasIds = false
    bed.committed.clear()
    await missing()
    expect(bed.replaced).toEqual(['0 from 0'])
  })
})

test('a record with an earlier leader epoch means that the partition was recreated', async () => {
  bed.committed.set('in:0', 5n)
  await bed.assign([0])
  await bed.answer(at(0, { records: await batchAt(5n, ['a'], 7) }))
  await bed.answer(at(0, { records: await batchAt(6n, ['b'], 2) }))
  expect(bed.records).toEqual(['in:0 5=a'])
  expect(bed.replaced).toEqual(['0 from 0'])
})

test('an earlier leader epoch is expected after a seek to an earlier record', async () => {
  bed.committed.set('in:0', 5n)
  await bed.assign([0])
  await bed.answer(at(0, { records: await batchAt(5n, ['a'], 7) }))
  bed.fetcher.flow('in', 0).seek(3n)
  await bed.answer(null)
  await bed.answer(at(0, { records: await batchAt(3n, ['b'], 2) }))
  expect(bed.records).toEqual(['in:0 5=a', 'in:0 3=b'])
  expect(bed.replaced).toEqual([])
})
