import { beforeEach, describe, expect, test } from 'vitest'
import { FetchedPartition } from '../../../../../src/adapters/kafka/fetch/fetched-partition.ts'
import { OffsetWatch } from '../../../../../src/adapters/kafka/fetch/offset-watch.ts'
import { fakeBroker, type ListedFake } from '../../../../support/fake-broker.ts'
import { FakeClock } from '../../../../support/fake-clock.ts'
import { fakeLog } from '../../../../support/fakes.ts'

class Bed {
  readonly clock = new FakeClock()
  readonly log = fakeLog()
  readonly partitions: FetchedPartition[] = []
  /** The progress of a fetched partition; null while its fetch hangs. */
  readonly fetched = new Set<FetchedPartition>()
  readonly listed = new Map<string, ListedFake>()
  readonly progress: string[] = []
  readonly silent = new Map<number, number | null>()
  readonly open = new Map<number, number | null>()
  isAway = false
  readonly watch: OffsetWatch

  constructor() {
    const { broker } = fakeBroker({
      onFetch: () => ({ partitions: [] }),
      onListOffsets: (topic, partition) =>
        this.listed.get(`${topic}:${partition}`) ?? { earliest: 0n, latest: 0n },
    })
    this.watch = new OffsetWatch({
      partitions: () => this.partitions,
      fetchedMs: (one) => (this.fetched.has(one) ? this.clock.monotonicMs() : null),
      findBroker: () => (this.isAway ? Promise.reject(new Error('no')) : Promise.resolve(broker)),
      addressOf: () => 'broker:9092',
      clock: this.clock,
      log: this.log,
      onProgress: ({ key, log }) => this.progress.push(`${key} ends at ${log?.highWatermark}`),
      onLeaderSilent: ({ partition }, seconds) => this.silent.set(partition, seconds),
      onOpenTransaction: ({ partition }, seconds) => this.open.set(partition, seconds),
    })
    this.watch.start()
  }

  add(partition: number): FetchedPartition {
    const one = new FetchedPartition({ topic: 'in', partition })
    one.moveTo(5n)
    one.leader = 1
    this.partitions.push(one)
    return one
  }
}

let bed: Bed

beforeEach(() => {
  bed = new Bed()
})

test('the end of a partition that is not fetched is requested every five seconds', async () => {
  bed.add(0)
  bed.listed.set('in:0', { earliest: 0n, latest: 20n })
  await bed.clock.advance(5_000)
  bed.listed.set('in:0', { earliest: 0n, latest: 30n })
  await bed.clock.advance(5_000)
  expect(bed.progress).toEqual(['in:0 ends at 20', 'in:0 ends at 30'])
})

test('the end of a fetched partition is not requested', async () => {
  bed.fetched.add(bed.add(0))
  await bed.clock.advance(20_000)
  expect(bed.progress).toEqual([])
  expect(bed.silent.size).toBe(0)
})

describe('a leader that does not respond', () => {
  beforeEach(async () => {
    bed.add(0)
    bed.add(1)
    bed.fetched.add(bed.add(2))
    bed.isAway = true
    await bed.clock.advance(20_000)
  })

  test('is logged once with its partitions and reported as a metric', () => {
    expect(bed.log.lines).toEqual([expect.stringMatching(/The leader of these partitions does not answer/)])
    expect(bed.watch.warnings).toEqual(['The leader broker:9092 of in [0 1] does not answer.'])
    expect(bed.silent.get(0)).toBeGreaterThanOrEqual(12)
    expect(bed.silent.has(2)).toBe(false)
  })

  test('is logged when it responds again', async () => {
    bed.isAway = false
    await bed.clock.advance(10_000)
    expect(bed.log.lines.slice(1)).toEqual(['The leader of these partitions answers again.'])
    expect(bed.watch.warnings).toEqual([])
    expect(bed.silent.get(0)).toBeNull()
  })

  test('is dropped from the report when its partitions are revoked', async () => {
    bed.partitions.length = 0
    await bed.clock.advance(5_000)
    expect(bed.log.lines).toHaveLength(1)
    expect(bed.silent.get(0)).toBeNull()
  })
})

describe('open transactions', () => {
  let held: FetchedPartition

  beforeEach(async () => {
    held = bed.add(0)
    bed.fetched.add(held)
    held.log = { lastStable: 5n, highWatermark: 105n }
    await bed.clock.advance(25_000)
  })

  test('an open transaction that blocks records is logged once and reported as a metric', () => {
    expect(bed.log.lines).toEqual([expect.stringMatching(/An open transaction of a producer blocks records/)])
    expect(bed.open.get(0)).toBeGreaterThanOrEqual(15)
    expect(bed.watch.warnings).toEqual(['An open transaction of a producer blocks in [0].'])
  })

  test('the end of a blocking transaction is logged', async () => {
    held.log = { lastStable: 105n, highWatermark: 105n }
    await bed.clock.advance(5_000)
    expect(bed.log.lines.slice(1)).toEqual([expect.stringMatching(/has ended/)])
    expect(bed.open.get(0)).toBeNull()
  })
})

test('short transactions that come and go are not reported', async () => {
  const busy = bed.add(0)
  bed.fetched.add(busy)
  for (let turn = 5n; turn < 15n; turn += 1n) {
    busy.moveTo(turn)
    busy.log = { lastStable: turn, highWatermark: turn + 2n }
    await bed.clock.advance(5_000)
  }
  expect(bed.log.lines).toEqual([])
  expect(bed.open.size).toBe(0)
})

test('records that arrive while a partition is paused are not reported as an open transaction', async () => {
  const paused = bed.add(0)
  paused.log = { lastStable: 5n, highWatermark: 5n }
  bed.listed.set('in:0', { earliest: 0n, latest: 50n })
  await bed.clock.advance(40_000)
  expect(paused.log.highWatermark).toBe(50n)
  expect(bed.open.size).toBe(0)
  expect(bed.watch.warnings).toEqual([])
})

test('no reports remain after the watch is closed', async () => {
  bed.add(0)
  bed.isAway = true
  await bed.clock.advance(20_000)
  bed.watch.close()
  expect(bed.silent.get(0)).toBeNull()
  expect(bed.clock.timers).toBe(0)
})
