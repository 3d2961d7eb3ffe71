/**
 * Evaluates the simulator's log of arriving calls. Pure. Times are nanoseconds from an origin, so that they are exact
 * as numbers.
 */

export interface Call {
  readonly atNs: number
  readonly scenario: string
  readonly code: string
}

export interface Span {
  readonly fromNs: number
  readonly toNs: number
}

export const SECOND_NS = 1_000_000_000
export const THROTTLED = 'Throttling.Api'

/** In order of arrival, as in the log. */
export function parseArrivals(log: string, originNs: bigint): Call[] {
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [atNs = '', scenario = '', code = ''] = line.split(' ')
      return { atNs: Number(BigInt(atNs) - originNs), scenario, code }
    })
}

/**
 * Exact: a window includes its end but not its start, so two calls exactly one second apart are never in the same
 * window.
 */
export function maxInASecond(calls: readonly Call[]): number {
  let first = 0
  let max = 0
  calls.forEach(({ atNs }, last) => {
    while ((calls[first]?.atNs ?? atNs) <= atNs - SECOND_NS) first += 1
    max = Math.max(max, last - first + 1)
  })
  return max
}

/**
 * Calls per second within the span. Counting the calls of a few seconds is off by one at either end, which matters at
 * 5 per second, and dividing by the time from the first to the last call overestimates bursts. Therefore calls near
 * both ends have a lower weight, over one period of the limiter each (`rampNs`). A pattern that repeats with that
 * period is measured exactly, wherever the span starts.
 */
export function callsPerSecond(calls: readonly Call[], { fromNs, toNs }: Span, rampNs: number): number {
  const weights = calls.map(({ atNs }) => clamp(Math.min(atNs - fromNs, toNs - atNs) / rampNs))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return (sum * SECOND_NS) / (toNs - fromNs - rampNs)
}

export function within(calls: readonly Call[], { fromNs, toNs }: Span): Call[] {
  return calls.filter(({ atNs }) => atNs >= fromNs && atNs < toNs)
}

export function throttled(calls: readonly Call[]): number {
  return calls.filter(({ code }) => code === THROTTLED).length
}

function clamp(weight: number): number {
  return Math.max(0, Math.min(1, weight))
}
