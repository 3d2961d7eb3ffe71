/**
 * How long the API asks the caller to wait: `x-acs-retry-after` in milliseconds, or `Retry-After` in seconds or as
 * a date. Total. The result is bounded, so that no answer pauses calls for more than a minute or makes them retry
 * without a pause. A hint that cannot be parsed is ignored.
 */
import { parseHttpDate } from '../../core/calls/api-clock.ts'
import { MAX_WAIT_MS } from '../../core/calls/circuit-breaker.ts'

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

const MIN_HINT_MS = 100
const SECOND_MS = 1_000
const NUMBER = /^\d{1,30}(?:\.\d{1,30})?$/

export function retryAfterMs(headers: Headers, nowMs: () => number = Date.now): number | null {
  const ms = numberOf(headers['x-acs-retry-after']) ?? standardMs(headers, nowMs)
  return ms === null ? null : Math.min(MAX_WAIT_MS, Math.max(MIN_HINT_MS, ms))
}

function standardMs(headers: Headers, nowMs: () => number): number | null {
  const value = headers['retry-after']
  const seconds = numberOf(value)
  if (seconds !== null) return seconds * SECOND_MS
  const untilMs = parseHttpDate(one(value))
  if (untilMs === null) return null
  // Relative to the server's clock if it is known, because the local clock may be wrong.
  return untilMs - (parseHttpDate(one(headers['date'])) ?? nowMs())
}

function numberOf(value: Headers[string]): number | null {
  const text = one(value)
  return NUMBER.test(text) ? Number(text) : null
}

/** The first value, if the header was sent several times. */
function one(value: Headers[string]): string {
  return (typeof value === 'string' ? value : (value?.[0] ?? '')).trim()
}
