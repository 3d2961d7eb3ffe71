import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { retryAfterMs } from '../../../../src/adapters/alibaba/retry-hint.ts'

const NOW_MS = Date.UTC(2026, 10, 30, 12, 0, 0)
const inSeconds = (seconds: number): string => new Date(NOW_MS + seconds * 1_000).toUTCString()
const hint = (headers: Parameters<typeof retryAfterMs>[0]): number | null =>
  retryAfterMs(headers, () => NOW_MS)

describe('the retry hint', () => {
  test.each([
    [{ 'x-acs-retry-after': '1500' }, 1_500],
    [{ 'x-acs-retry-after': ' 1500.5 ' }, 1_500.5],
    [{ 'x-acs-retry-after': ['2000', '3000'] }, 2_000],
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after': inSeconds(9) }, 9_000],
    [{ 'x-acs-retry-after': '1500', 'retry-after': '30' }, 1_500],
    [{ 'x-acs-retry-after': 'soon', 'retry-after': '30' }, 30_000],
  ])('is read from %j', (headers, ms) => {
    expect(hint(headers)).toBe(ms)
  })

  test.each([
    { 'x-acs-retry-after': '3600000' },
    { 'x-acs-retry-after': '999999999' },
    { 'x-acs-retry-after': '9'.repeat(30) },
    { 'retry-after': '86400' },
    { 'retry-after': inSeconds(86_400) },
  ])('is limited to one minute: %j', (headers) => {
    expect(hint(headers)).toBe(60_000)
  })

  test.each([{ 'x-acs-retry-after': '0' }, { 'retry-after': '0' }, { 'retry-after': inSeconds(-3_600) }])(
    'is at least the minimum: %j',
    (headers) => {
      expect(hint(headers)).toBe(100)
    },
  )

  test.each([
    {},
    { 'x-acs-retry-after': '' },
    { 'x-acs-retry-after': '-5' },
    { 'x-acs-retry-after': '1e9' },
    { 'x-acs-retry-after': 'NaN' },
    { 'x-acs-retry-after': '9'.repeat(31) },
    { 'x-acs-retry-after': [] },
    { 'retry-after': 'soon' },
    { 'retry-after': 'Infinity' },
    { 'retry-after': '2026-11-30T12:00:00Z' },
  ])('is not read from %j', (headers) => {
    expect(hint(headers)).toBeNull()
  })

  test('uses the clock of the server that sent the date', () => {
    const headers = { 'retry-after': inSeconds(7_210), date: inSeconds(7_200) }
    expect(hint(headers)).toBe(10_000)
  })

  test('is within its limits for any header', () => {
    const text = fc.oneof(
      fc.string(),
      fc.bigInt({ min: 0n }).map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    )
    fc.assert(
      fc.property(text, text, text, (own, standard, date) => {
        const ms = hint({ 'x-acs-retry-after': own, 'retry-after': standard, date })
        if (ms === null) return
        expect(ms).toBeGreaterThanOrEqual(100)
        expect(ms).toBeLessThanOrEqual(60_000)
      }),
    )
  })
})
