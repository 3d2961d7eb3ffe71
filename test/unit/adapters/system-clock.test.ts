import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../../src/adapters/system-clock.ts'

test('the epoch clock is the system time, and the monotonic clock never goes back', () => {
  expect(Math.abs(systemClock.epochMs() - Date.now())).toBeLessThan(1_000)
  const before = systemClock.monotonicMs()
  expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(before)
})

describe('a timer', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('fires once after its delay', () => {
    const callback = vi.fn<() => void>()
    systemClock.after(1_000, callback)
    vi.advanceTimersByTime(999)
    expect(callback).not.toHaveBeenCalled()
    vi.advanceTimersByTime(5_000)
    expect(callback).toHaveBeenCalledTimes(1)
  })

  test('never fires after it was canceled', () => {
    const callback = vi.fn<() => void>()
    const cancel = systemClock.after(1_000, callback)
    cancel()
    vi.advanceTimersByTime(5_000)
    expect(callback).not.toHaveBeenCalled()
  })

  test("can be longer than Node's maximum delay, and can be canceled at any time", () => {
    const days = 86_400_000
    const callback = vi.fn<() => void>()
    const cancelled = vi.fn<() => void>()
    systemClock.after(60 * days, callback)
    const cancel = systemClock.after(60 * days, cancelled)
    vi.advanceTimersByTime(59 * days)
    expect(callback).not.toHaveBeenCalled()
    cancel()
    vi.advanceTimersByTime(2 * days)
    expect(callback).toHaveBeenCalledTimes(1)
    expect(cancelled).not.toHaveBeenCalled()
  })
})
