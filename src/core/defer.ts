/**
 * When an event is asked for again. Pure: the way through the retry topics and its end.
 *
 * An event climbs the delays one by one (first 10 s, then 1 min, then 10 min, again and again) and keeps the time it
 * was first seen, so that its age is known however often it moved.
 */

/** Why an event is asked for again later. A closed set: the label of `deferred_total`. */
export const DEFER_REASONS = [
  'not-completed',
  'pending',
  'unavailable',
  /** Refused while others were answered, so it is this record's own: with a known code, an unknown one, as too many. */
  'refused',
  'unknown-code',
  'throttled',
] as const
export type DeferReason = (typeof DEFER_REASONS)[number]

/** One of the retry topics. A record in it is due `delayMs` after its own timestamp. */
export interface RetryTopic {
  readonly topic: string
  readonly delayMs: number
}

export type Deferral = { readonly kind: 'later'; readonly topic: string } | { readonly kind: 'too-old' }

export interface DeferralQuestion {
  /** The topic the event came from this time: the input topic or a retry topic. */
  readonly topic: string
  readonly retryTopics: readonly RetryTopic[]
  readonly firstSeenMs: number
  readonly nowMs: number
  readonly maxAgeMs: number
}

export function deferral({ topic, retryTopics, firstSeenMs, nowMs, maxAgeMs }: DeferralQuestion): Deferral {
  if (nowMs - firstSeenMs >= maxAgeMs) return { kind: 'too-old' }
  const current = retryTopics.findIndex((retry) => retry.topic === topic)
  const next = retryTopics[Math.min(current + 1, retryTopics.length - 1)]
  return next === undefined ? { kind: 'too-old' } : { kind: 'later', topic: next.topic }
}
