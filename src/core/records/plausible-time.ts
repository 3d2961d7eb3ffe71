/**
 * Checks whether a timestamp can be true. Implausible ones come from a wrong unit, an unset field or a wrong clock.
 * Pure; all times are milliseconds since the epoch.
 */

/** The vendor's product did not exist before. */
const EARLIEST_MS = Date.UTC(2015, 0, 1)
/** The largest clock difference to accept. */
const MAX_AHEAD_MS = 24 * 60 * 60 * 1000

export type TimeCheck = 'plausible' | 'too-early' | 'too-late'

export function checkTime(timeMs: number, nowMs: number): TimeCheck {
  if (!(timeMs >= EARLIEST_MS)) return 'too-early'
  return timeMs <= nowMs + MAX_AHEAD_MS ? 'plausible' : 'too-late'
}

export function isPlausibleTime(timeMs: number, nowMs: number): boolean {
  return checkTime(timeMs, nowMs) === 'plausible'
}
