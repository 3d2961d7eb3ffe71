import { expect, test } from 'vitest'
import { PartitionLag } from '../../../../src/pipeline/delivery/partition-lag.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { fakeMetrics } from '../../../support/fakes.ts'

function oldestOf(timestampMs: number): unknown {
  const metrics = fakeMetrics()
  const lag = new PartitionLag({ topic: 'in', partition: 0, metrics, clock: new FakeClock() })
  lag.progress(6n, 9n)
  lag.measure({ offset: 5n, item: { timestampMs } })
  expect([metrics.of('lag'), lag.records]).toEqual([[['in', 0, 4]], 4])
  return metrics.of('oldestUnsettled')[0]?.[2]
}

test('the age of the oldest record is based on its timestamp', () => {
  const timestampMs = Date.UTC(2025, 11, 31)
  expect(oldestOf(timestampMs)).toBe(timestampMs)
})

test.each([-1, 0, 1, Date.UTC(2100, 0, 1)])(
  'a record with the timestamp %d is excluded from the age metric',
  (timestampMs) => {
    expect(oldestOf(timestampMs)).toBeNull()
  },
)
