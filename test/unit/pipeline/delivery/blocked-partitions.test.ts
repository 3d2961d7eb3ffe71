import { describe, expect, test } from 'vitest'
import { BlockedPartitions } from '../../../../src/pipeline/delivery/blocked-partitions.ts'
import type { Failure } from '../../../../src/ports.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { fakeLog, fakeMetrics } from '../../../support/fakes.ts'

const DENIED: Failure = { code: 'TOPIC_AUTHORIZATION_FAILED', message: 'Grant WRITE.', temporary: false }
const AWAY: Failure = { code: 'ECONNREFUSED', message: 'No broker answers.', temporary: true }

function setUp() {
  const [clock, log, metrics] = [new FakeClock(), fakeLog(), fakeMetrics()]
  const causes: string[] = []
  const partitions = new BlockedPartitions({
    clock,
    log,
    metrics,
    onCause: (code, isPresent) => void causes.push(`${code} ${isPresent ? 'begins' : 'ends'}`),
  })
  const block = (partition: number, failure = DENIED, offset = 5n): void =>
    partitions.block({ topic: 'in', partition, offset, failure })
  return { partitions, block, clock, log, metrics, causes }
}

describe('blocked partitions', () => {
  test('are logged at once for the first one, and in one line for others within a second', async () => {
    const { block, clock, log } = setUp()
    for (let partition = 0; partition < 64; partition += 1) block(partition)
    expect(log.lines).toHaveLength(1)
    await clock.advance(1_000)
    expect(log.lines).toHaveLength(2)
  })

  test('are not logged again if the same failure repeats', async () => {
    const { block, clock, log } = setUp()
    for (let again = 0; again < 1_000; again += 1) block(3)
    await clock.advance(60_000)
    expect(log.lines).toHaveLength(1)
  })

  test('are logged again for another cause, and once more when the last partition of a cause resumes', () => {
    const { partitions, block, log } = setUp()
    block(0)
    block(1, AWAY)
    partitions.clear('in', 0)
    expect(log.lines).toHaveLength(3)
    partitions.clear('in', 1)
    expect(log.lines).toHaveLength(4)
    partitions.clear('in', 1)
    expect(log.lines).toHaveLength(4)
  })

  test('are forgotten without a log line if they are revoked', () => {
    const { partitions, block, log, metrics, causes } = setUp()
    block(0)
    partitions.forget('in', 0)
    expect([log.lines.length, partitions.all, metrics.of('blocked').at(-1)]).toEqual([1, [], ['in', 0, null]])
    expect(causes).toEqual(['TOPIC_AUTHORIZATION_FAILED begins', 'TOPIC_AUTHORIZATION_FAILED ends'])
  })

  test('are not in the summary if they resume before it is written', async () => {
    const { partitions, block, clock, log } = setUp()
    block(0)
    block(1)
    partitions.clear('in', 1)
    await clock.advance(1_000)
    expect(log.lines).toHaveLength(1)
  })

  test('are reported by the start and end of a cause, not for each partition', () => {
    const { partitions, block, causes } = setUp()
    block(0)
    block(1)
    partitions.clear('in', 0)
    expect(causes).toEqual(['TOPIC_AUTHORIZATION_FAILED begins'])
    partitions.clear('in', 1)
    expect(causes).toEqual(['TOPIC_AUTHORIZATION_FAILED begins', 'TOPIC_AUTHORIZATION_FAILED ends'])
  })

  test('have a metric with partition, offset and cause until they resume', () => {
    const { partitions, block, metrics } = setUp()
    block(2, DENIED, 7n)
    partitions.clear('in', 2)
    expect(metrics.of('blocked')).toEqual([
      ['in', 2, { offset: 7n, code: 'TOPIC_AUTHORIZATION_FAILED' }],
      ['in', 2, null],
    ])
  })
})
