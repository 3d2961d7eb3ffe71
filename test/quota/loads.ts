/** What waits for the replicas, and on which partitions. Pure. */

export const PARTITIONS = 8

/** A backlog spread so over the input topic; `light` is none, but events at an even pace, half as many as the quota. */
export const LOADS = ['even', 'skewed', 'one', 'light'] as const
export type Load = (typeof LOADS)[number]

export const LOAD_NAMES: Readonly<Record<Load, string>> = {
  even: 'even',
  skewed: '70-10-10-10',
  one: 'one partition',
  light: 'none, N/2 come',
}

/** `skewed`: four neighbors, which are four members' where there are so many. */
const WEIGHTS: Readonly<Record<Load, readonly number[]>> = {
  even: Array.from({ length: PARTITIONS }, () => 1 / PARTITIONS),
  skewed: [0.7, 0.1, 0.1, 0.1],
  one: [1],
  light: [],
}

/**
 * Of all permits of the time no partition gets more: a replica serves its partitions unevenly, as who has records in hand
 * first has most that wait, and replicas that start later begin later.
 */
const MAX_OF_ONE = 0.6

/** Events on each partition, so that none of those with work is without before so many seconds have passed. */
export function backlogOf(load: Load, permits: number, seconds: number): number[] {
  const weights = WEIGHTS[load]
  const smallest = Math.min(...weights)
  const part = permits * seconds * (weights.length === 1 ? 1 : MAX_OF_ONE)
  return weights.map((weight) => Math.ceil((part * weight) / smallest))
}
