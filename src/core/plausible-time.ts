/**
 * Which times can be true for an event. Anything else comes from a wrong unit, a field that was never set or a clock that
 * is wrong. Pure; all times are milliseconds since the epoch.
 */

/** The product did not exist before. */
const EARLIEST_MS = Date.UTC(2015, 0, 1)
/** Clocks differ, but not by more than this. */
const MAX_AHEAD_MS = 24 * 60 * 60 * 1000

export type TimeCheck = 'plausible' | 'too-early' | 'too-late'

export function checkTime(timeMs: number, nowMs: number): TimeCheck {
  if (!(timeMs >= EARLIEST_MS)) return 'too-early'
  return timeMs <= nowMs + MAX_AHEAD_MS ? 'plausible' : 'too-late'
}

export function isPlausibleTime(timeMs: number, nowMs: number): boolean {
  return checkTime(timeMs, nowMs) === 'plausible'
}
