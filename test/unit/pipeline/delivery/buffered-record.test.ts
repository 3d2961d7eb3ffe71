import { expect, test } from 'vitest'
import { bufferedRecord, sizeBytes, untilDueMs } from '../../../../src/pipeline/delivery/buffered-record.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { inputRecord } from '../../../support/fakes.ts'

const DELAY_MS = 10_000

function dueIn(timestampMs: (nowMs: number) => number): number {
  const clock = new FakeClock()
  const record = inputRecord(0, { timestampMs: timestampMs(clock.epochMs()) })
  return untilDueMs(bufferedRecord(record, { delayMs: DELAY_MS, clock }), clock)
}

test('a record of a retry topic is due its delay after its timestamp, and never later than its delay from now', () => {
  expect(dueIn((nowMs) => nowMs - 4_000)).toBe(DELAY_MS - 4_000)
  expect(dueIn((nowMs) => nowMs - 60_000)).toBeLessThanOrEqual(0)
  expect(dueIn((nowMs) => nowMs + 60_000)).toBe(DELAY_MS)
})

test.each([-1, 0, 1])('a record with the timestamp %d is due after its delay from now', (timestampMs) => {
  expect(dueIn(() => timestampMs)).toBe(DELAY_MS)
})

test('headers count for more than their bytes because even an empty one uses memory', () => {
  const headers = Array.from({ length: 10_000 }, () => ({ name: '', value: null }))
  expect(sizeBytes(inputRecord(0, { key: null, value: null, headers }))).toBeGreaterThan(1_000_000)
  expect(sizeBytes(inputRecord(0, { key: Buffer.from('k'), value: Buffer.from('v'), headers: [] }))).toBe(2)
})
