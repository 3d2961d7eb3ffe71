import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deferral } from '../../../../src/core/records/defer.ts'

const RETRY = [
  { topic: 'retry.10s', delayMs: 10_000 },
  { topic: 'retry.1m', delayMs: 60_000 },
  { topic: 'retry.10m', delayMs: 600_000 },
]
const QUESTION = { topic: 'input', retryTopics: RETRY, firstSeenMs: 1_000, nowMs: 2_000, maxAgeMs: 10_000 }

describe('a deferred event', () => {
  test.each([
    ['input', 'retry.10s'],
    ['retry.10s', 'retry.1m'],
    ['retry.1m', 'retry.10m'],
    ['retry.10m', 'retry.10m'],
  ])('goes from %s to %s', (topic, next) => {
    expect(deferral({ ...QUESTION, topic })).toEqual({ kind: 'later', topic: next })
  })

  test('starts with the first delay if it comes from an unknown topic', () => {
    expect(deferral({ ...QUESTION, topic: 'retry.5m' })).toEqual({ kind: 'later', topic: 'retry.10s' })
  })

  test('is given up at its maximum age, and not a millisecond earlier', () => {
    expect(deferral({ ...QUESTION, nowMs: 10_999 }).kind).toBe('later')
    expect(deferral({ ...QUESTION, nowMs: 11_000 }).kind).toBe('too-old')
  })

  test('is given up at once if there is no retry topic', () => {
    expect(deferral({ ...QUESTION, retryTopics: [] }).kind).toBe('too-old')
  })

  test('always ends, however often it is deferred', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000_000 }), (maxAgeMs) => {
        let topic = 'input'
        let nowMs = 0
        for (let rounds = 0; ; rounds += 1) {
          const next = deferral({ topic, retryTopics: RETRY, firstSeenMs: 0, nowMs, maxAgeMs })
          if (next.kind === 'too-old') return
          expect(rounds).toBeLessThan(maxAgeMs / 600_000 + 4)
          topic = next.topic
          nowMs += RETRY.find((retry) => retry.topic === topic)?.delayMs ?? 0
        }
      }),
    )
  })
})
