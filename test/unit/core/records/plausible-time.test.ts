import { expect, test } from 'vitest'
import { checkTime, isPlausibleTime } from '../../../../src/core/records/plausible-time.ts'

const NOW_MS = Date.UTC(2026, 0, 1)
const DAY_MS = 86_400_000

test.each([
  [Date.UTC(2015, 0, 1), 'plausible'],
  [NOW_MS, 'plausible'],
  [NOW_MS + DAY_MS, 'plausible'],
  [Date.UTC(2015, 0, 1) - 1, 'too-early'],
  [NOW_MS + DAY_MS + 1, 'too-late'],
  [-1, 'too-early'],
  [0, 'too-early'],
  [1, 'too-early'],
  [Number.NaN, 'too-early'],
  [Number.MAX_VALUE, 'too-late'],
])('the time %d is %s', (timeMs, expected) => {
  expect(checkTime(timeMs, NOW_MS)).toBe(expected)
  expect(isPlausibleTime(timeMs, NOW_MS)).toBe(expected === 'plausible')
})
