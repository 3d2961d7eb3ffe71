import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../../src/adapters/system-clock.ts'

test('the epoch clock is the one of the machine, the monotonic one never goes back', () => {
  expect(Math.abs(systemClock.epochMs() - Date.now())).toBeLessThan(1_000)
  const before = systemClock.monotonicMs()
  expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(before)
})

describe('a timer', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('calls back once, after the delay', () => {
    const callback = vi.fn<() => void>()
    systemClock.after(1_000, callback)
    vi.advanceTimersByTime(999)
    expect(callback).not.toHaveBeenCalled()
    vi.advanceTimersByTime(5_000)
    expect(callback).toHaveBeenCalledTimes(1)
  })

  test('that is cancelled never calls back', () => {
    const callback = vi.fn<() => void>()
    const cancel = systemClock.after(1_000, callback)
    cancel()
    vi.advanceTimersByTime(5_000)
    expect(callback).not.toHaveBeenCalled()
  })

  test('may be longer than the longest timer of Node, and is cancelled in any stretch of it', () => {
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
