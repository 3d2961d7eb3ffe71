import { beforeEach, describe, expect, test } from 'vitest'
import { FetchSession } from '../../../../../src/adapters/kafka/fetch/fetch-session.ts'

const wantedPartition = (key: string, next: bigint) => {
  const [topic = '', partition = ''] = key.split(':')
  return { key, topic, partition: Number(partition), next }
}

let session: FetchSession
let maxBytes: number

function requestFor(...wanted: ReturnType<typeof wantedPartition>[]) {
  const { sessionId, sessionEpoch, topics, forgottenTopics } = session.next(wanted, maxBytes)
  return {
    sessionId,
    sessionEpoch,
    asked: topics.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, fetchOffset }) => `${topic}:${partition}@${fetchOffset}`),
    ),
    forgotten: forgottenTopics.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => `${topic}:${partition}`),
    ),
  }
}

beforeEach(() => {
  session = new FetchSession()
  maxBytes = 1_000
})

test('the first fetch request lists all partitions in the given order', () => {
  expect(
    requestFor(wantedPartition('a:0', 5n), wantedPartition('b:0', 0n), wantedPartition('a:1', 7n)),
  ).toEqual({
    sessionId: 0,
    sessionEpoch: 0,
    asked: ['a:0@5', 'b:0@0', 'a:1@7'],
    forgotten: [],
  })
})

describe('within a fetch session', () => {
  beforeEach(() => {
    requestFor(wantedPartition('a:0', 5n), wantedPartition('a:1', 7n))
    session.answered(42)
  })

  test('a request lists only moved and new partitions', () => {
    expect(
      requestFor(wantedPartition('a:0', 6n), wantedPartition('a:1', 7n), wantedPartition('a:2', 0n)),
    ).toEqual({
      sessionId: 42,
      sessionEpoch: 1,
      asked: ['a:0@6', 'a:2@0'],
      forgotten: [],
    })
  })

  test('a smaller limit applies to all partitions at once, a larger one when they have moved', () => {
    maxBytes = 500
    expect(requestFor(wantedPartition('a:0', 5n), wantedPartition('a:1', 7n)).asked).toEqual([
      'a:0@5',
      'a:1@7',
    ])
    session.answered(42)
    maxBytes = 2_000
    expect(requestFor(wantedPartition('a:0', 6n), wantedPartition('a:1', 7n)).asked).toEqual(['a:0@6'])
  })

  test('a request lists removed partitions as forgotten and restored ones again', () => {
    expect(requestFor(wantedPartition('a:0', 5n))).toMatchObject({ asked: [], forgotten: ['a:1'] })
    expect(session.offsetOf('a:1')).toBeNull()
    session.answered(42)
    expect(requestFor(wantedPartition('a:0', 5n), wantedPartition('a:1', 7n))).toMatchObject({
      sessionEpoch: 2,
      asked: ['a:1@7'],
      forgotten: [],
    })
  })

  test('a failure makes the next request list everything and end the old session', () => {
    requestFor(wantedPartition('a:0', 6n), wantedPartition('a:1', 7n))
    session.failed()
    expect(requestFor(wantedPartition('a:0', 6n), wantedPartition('a:1', 7n))).toEqual({
      sessionId: 42,
      sessionEpoch: 0,
      asked: ['a:0@6', 'a:1@7'],
      forgotten: [],
    })
  })
})

test('a broker without sessions gets the full list each time', () => {
  for (let turn = 0; turn < 3; turn += 1) {
    expect(requestFor(wantedPartition('a:0', 5n), wantedPartition('a:1', 7n))).toMatchObject({
      sessionId: 0,
      sessionEpoch: 0,
      asked: ['a:0@5', 'a:1@7'],
    })
    session.answered(0)
  }
})
