/** The backlog of a case and its distribution over the partitions. Pure. */

export const PARTITIONS = 8

/** More partitions than shards, and not a multiple of them. */
const MANY_PARTITIONS = 40

/**
 * Distribution of a backlog over the input topic. `wide` has more partitions. `light` has no backlog: events arrive at a
 * steady pace of half the quota.
 */
export const LOADS = ['even', 'skewed', 'one', 'wide', 'light'] as const
export type Load = (typeof LOADS)[number]

export const LOAD_NAMES: Readonly<Record<Load, string>> = {
  even: 'even',
  skewed: '70-10-10-10',
  one: 'one partition',
  wide: `${MANY_PARTITIONS} partitions, even`,
  light: 'none, N/2 events a second',
}

/** `skewed`: the four larger ones are neighbors, so with enough replicas each belongs to another member. */
const WEIGHTS: Readonly<Record<Load, readonly number[]>> = {
  even: evenly(PARTITIONS),
  skewed: [0.7, 0.1, 0.1, 0.1],
  one: [1],
  wide: evenly(MANY_PARTITIONS),
  light: [],
}

function evenly(partitions: number): number[] {
  return Array.from({ length: partitions }, () => 1 / partitions)
}

/** Partitions of the input topic. */
export function partitionsFor(load: Load): number {
  return Math.max(PARTITIONS, WEIGHTS[load].length)
}

/**
 * Maximum share of all permits that one partition gets. Partitions of a replica are not served evenly, because the
 * one with buffered records has the most records waiting, and replicas that start later begin later.
 */
const MAX_OF_ONE = 0.6

/** Number of events for each partition, so that no partition with work runs out before `seconds` have passed. */
export function backlogOf(load: Load, permits: number, seconds: number): number[] {
  const weights = WEIGHTS[load]
  const smallest = Math.min(...weights)
  const part = permits * seconds * (weights.length === 1 ? 1 : MAX_OF_ONE)
  return weights.map((weight) => Math.ceil((part * weight) / smallest))
}
