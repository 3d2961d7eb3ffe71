/**
 * Decides when an event is retried through the retry topics, and when to give up. Pure.
 *
 * An event goes through the delays in order (10 s, 1 min, then 10 min repeatedly) and keeps the time it was first seen,
 * so its age is known however often it moved.
 */

/** Why an event is retried later. A closed set: the label of `deferred_total`. */
export const DEFER_REASONS = [
  'not-completed',
  'pending',
  'unavailable',
  /**
   * This and the next two: rejected while others were answered, so the record itself is the cause. With a known code,
   * an unknown code, and as too many requests.
   */
  'refused',
  'unknown-code',
  'throttled',
] as const
export type DeferReason = (typeof DEFER_REASONS)[number]

/** A retry topic. A record in it is due `delayMs` after its own timestamp. */
export interface RetryTopic {
  readonly topic: string
  readonly delayMs: number
}

export type Deferral = { readonly kind: 'later'; readonly topic: string } | { readonly kind: 'too-old' }

export interface DeferralOptions {
  /** The topic that the record was read from: the input topic or a retry topic. */
  readonly topic: string
  readonly retryTopics: readonly RetryTopic[]
  readonly firstSeenMs: number
  readonly nowMs: number
  readonly maxAgeMs: number
}

export function deferral({ topic, retryTopics, firstSeenMs, nowMs, maxAgeMs }: DeferralOptions): Deferral {
  if (nowMs - firstSeenMs >= maxAgeMs) return { kind: 'too-old' }
  const current = retryTopics.findIndex((retry) => retry.topic === topic)
  const next = retryTopics[Math.min(current + 1, retryTopics.length - 1)]
  return next === undefined ? { kind: 'too-old' } : { kind: 'later', topic: next.topic }
}
