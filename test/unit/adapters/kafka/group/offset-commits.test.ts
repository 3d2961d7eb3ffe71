import { expect, test } from 'vitest'
import { OffsetCommits, type TopicOffsets } from '../../../../../src/adapters/kafka/group/offset-commits.ts'
import { FakeClock, flushPromises } from '../../../../support/fake-clock.ts'
import { fakeLog, fakeMetrics } from '../../../../support/fakes.ts'

const GATHER_MS = 100
const RETRY_MS = 500

const first = { topic: 'in', partition: 0 }
const second = { topic: 'in', partition: 1 }

interface Sent {
  readonly offsets: string
  readonly succeed: () => void
  readonly fail: (type: string) => void
}

function setUp() {
  const clock = new FakeClock()
  const log = fakeLog()
  const metrics = fakeMetrics()
  const sent: Sent[] = []
  const commits = new OffsetCommits({
    send: (topics) =>
      new Promise((resolve, reject) => {
        sent.push({
          offsets: texts(topics),
          succeed: resolve,
          fail: (type) => reject(Object.assign(new Error('not to be logged'), { type })),
        })
      }),
    clock,
    metrics,
    log,
  })
  commits.assigned('member', { in: [0, 1] })
  return { commits, clock, log, metrics, sent, offsets: () => sent.map(({ offsets }) => offsets) }
}

test('offsets that are added within a short time are committed in one request, the newest of each partition', async () => {
  const { commits, clock, offsets } = setUp()
  commits.note([{ ...first, nextOffset: 5n }])
  commits.note([{ ...second, nextOffset: 7n }])
  commits.note([{ ...first, nextOffset: 6n }])
  expect(offsets()).toEqual([])
  await clock.advance(GATHER_MS)
  expect(offsets()).toEqual(['in:0=6 in:1=7'])
})

test('at most one commit request is in flight, and later offsets follow in the next one', async () => {
  const { commits, clock, sent, offsets } = setUp()
  commits.note([{ ...first, nextOffset: 5n }])
  await clock.advance(GATHER_MS)
  commits.note([{ ...first, nextOffset: 6n }])
  await clock.advance(10 * GATHER_MS)
  expect(offsets()).toEqual(['in:0=5'])
  sent[0]?.succeed()
  await clock.advance(GATHER_MS)
  expect(offsets()).toEqual(['in:0=5', 'in:0=6'])
  sent[1]?.succeed()
  await clock.advance(10 * GATHER_MS)
  expect(offsets()).toHaveLength(2)
  expect(clock.timers).toBe(0)
})

test('a failed commit is retried and logged once in a row without the original error message', async () => {
  const { commits, clock, sent, offsets, log, metrics } = setUp()
  commits.note([{ ...first, nextOffset: 5n }])
  await clock.advance(GATHER_MS)
  sent[0]?.fail('COORDINATOR_NOT_AVAILABLE')
  await clock.advance(RETRY_MS)
  sent[1]?.fail('COORDINATOR_NOT_AVAILABLE')
  await clock.advance(RETRY_MS)
  sent[2]?.succeed()
  await flushPromises()
  expect(offsets()).toEqual(['in:0=5', 'in:0=5', 'in:0=5'])
  expect(log.lines).toEqual(['Could not commit offsets of published outputs. The service keeps trying.'])
  expect(metrics.of('offsetCommit')).toEqual([['failed'], ['failed'], ['committed']])
})

test.each(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'])(
  'a commit that fails with %s is not logged and waits for the rebalance',
  async (type) => {
    const { commits, clock, sent, offsets, log, metrics } = setUp()
    commits.note([{ ...first, nextOffset: 5n }])
    commits.note([{ ...second, nextOffset: 7n }])
    await clock.advance(GATHER_MS)
    sent[0]?.fail(type)
    await flushPromises()
    commits.assigned('member', { in: [1] })
    await clock.advance(RETRY_MS)
    expect(offsets()).toEqual(['in:0=5 in:1=7', 'in:1=7'])
    expect(log.lines).toEqual([])
    expect(metrics.of('offsetCommit')).toEqual([])
  },
)

test('a new member forgets pending offsets because another member may have owned the partition meanwhile', async () => {
  const { commits, clock, offsets } = setUp()
  commits.note([{ ...first, nextOffset: 5n }])
  commits.assigned('another member', { in: [0, 1] })
  await clock.advance(10 * GATHER_MS)
  expect(offsets()).toEqual([])
})

test('no offset is added for a partition that is not assigned', async () => {
  const { commits, clock, offsets } = setUp()
  commits.assigned('member', { in: [1] })
  commits.note([{ ...first, nextOffset: 5n }])
  await clock.advance(10 * GATHER_MS)
  expect(offsets()).toEqual([])
})

test('a rebalance commits pending offsets at once', () => {
  const { commits, offsets } = setUp()
  commits.rebalancing()
  commits.note([{ ...first, nextOffset: 5n }])
  commits.rebalancing()
  expect(offsets()).toEqual(['in:0=5'])
})

test('a flush commits the last offset of the partition at once, after the request in flight', async () => {
  const { commits, clock, sent, offsets } = setUp()
  commits.note([{ ...first, nextOffset: 5n }])
  await clock.advance(GATHER_MS)
  commits.note([{ ...first, nextOffset: 6n }])
  const done = hasResolved(commits.flush([first]))
  expect(offsets()).toEqual(['in:0=5'])
  sent[0]?.succeed()
  await flushPromises()
  expect(offsets()).toEqual(['in:0=5', 'in:0=6'])
  expect(done()).toBe(false)
  sent[1]?.succeed()
  await flushPromises()
  expect(done()).toBe(true)
})

test('a flush ends if the commit fails or the partition has moved to another member', async () => {
  const { commits, sent } = setUp()
  commits.note([{ ...first, nextOffset: 5n }])
  const gaveUp = hasResolved(commits.flush([first]))
  for (let failures = 0; failures < 3; failures += 1) {
    expect(gaveUp()).toBe(false)
    sent.at(-1)?.fail('COORDINATOR_NOT_AVAILABLE')
    await flushPromises()
  }
  expect(gaveUp()).toBe(true)

  const lost = hasResolved(commits.flush([first]))
  commits.assigned('member', { in: [1] })
  sent.at(-1)?.fail('ILLEGAL_GENERATION')
  await flushPromises()
  expect(lost()).toBe(true)
})

test('a flush without pending offsets returns at once', async () => {
  const { commits, offsets } = setUp()
  await commits.flush([first])
  expect(offsets()).toEqual([])
})

test('after the end of the membership nothing more is sent or retried', async () => {
  const { commits, clock, sent, offsets } = setUp()
  commits.note([{ ...first, nextOffset: 5n }])
  await clock.advance(GATHER_MS)
  const flushed = hasResolved(commits.flush([first]))
  commits.close()
  commits.note([{ ...first, nextOffset: 6n }])
  sent[0]?.fail('UNKNOWN_MEMBER_ID')
  await clock.advance(10 * RETRY_MS)
  expect([offsets(), clock.timers, flushed()]).toEqual([['in:0=5'], 0, true])
})

function hasResolved(promise: Promise<void>): () => boolean {
  let isResolved = false
  void promise.then(() => (isResolved = true))
  return () => isResolved
}

function texts(topics: readonly TopicOffsets[]): string {
  return topics
    .flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => `${topic}:${partition}=${offset}`),
    )
    .join(' ')
}
