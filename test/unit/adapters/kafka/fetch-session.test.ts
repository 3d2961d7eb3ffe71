import { beforeEach, describe, expect, test } from 'vitest'
import { FetchSession } from '../../../../src/adapters/kafka/fetch-session.ts'

const of = (key: string, next: bigint) => {
  const [topic = '', partition = ''] = key.split(':')
  return { key, topic, partition: Number(partition), next }
}

let session: FetchSession

function asked(...wanted: ReturnType<typeof of>[]) {
  const { sessionId, sessionEpoch, topics, forgottenTopics } = session.next(wanted)
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
  session = new FetchSession(1_000)
})

test('the first request names everything, in the order wanted', () => {
  expect(asked(of('a:0', 5n), of('b:0', 0n), of('a:1', 7n))).toEqual({
    sessionId: 0,
    sessionEpoch: 0,
    asked: ['a:0@5', 'b:0@0', 'a:1@7'],
    forgotten: [],
  })
})

describe('in a session', () => {
  beforeEach(() => {
    asked(of('a:0', 5n), of('a:1', 7n))
    session.answered(42)
  })

  test('a request names what moved and what is new', () => {
    expect(asked(of('a:0', 6n), of('a:1', 7n), of('a:2', 0n))).toEqual({
      sessionId: 42,
      sessionEpoch: 1,
      asked: ['a:0@6', 'a:2@0'],
      forgotten: [],
    })
  })

  test('a request names what is not wanted any more, and again what is wanted again', () => {
    expect(asked(of('a:0', 5n))).toMatchObject({ asked: [], forgotten: ['a:1'] })
    expect(session.offsetOf('a:1')).toBeNull()
    session.answered(42)
    expect(asked(of('a:0', 5n), of('a:1', 7n))).toMatchObject({
      sessionEpoch: 2,
      asked: ['a:1@7'],
      forgotten: [],
    })
  })

  test('a failure makes the next request name everything, and the broker drops the old session', () => {
    asked(of('a:0', 6n), of('a:1', 7n))
    session.failed()
    expect(asked(of('a:0', 6n), of('a:1', 7n))).toEqual({
      sessionId: 42,
      sessionEpoch: 0,
      asked: ['a:0@6', 'a:1@7'],
      forgotten: [],
    })
  })
})

test('a broker that keeps no session is sent everything each time', () => {
  for (let turn = 0; turn < 3; turn += 1) {
    expect(asked(of('a:0', 5n), of('a:1', 7n))).toMatchObject({
      sessionId: 0,
      sessionEpoch: 0,
      asked: ['a:0@5', 'a:1@7'],
    })
    session.answered(0)
  }
})
