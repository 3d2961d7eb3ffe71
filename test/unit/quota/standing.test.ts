import { expect, test } from 'vitest'
import { standingOf, unfairness, waitP99Ms, type Standing, type Stretch } from '../../quota/standing.ts'

const EXPOSITION = `# HELP checkresult_requests_total CheckResult calls.
checkresult_requests_total{code="Success"} 40
checkresult_requests_total{code="Throttling.Api"} 2
checkresult_quota_share_per_second 13
checkresult_quota_wait_seconds_bucket{le="0.01",priority="fresh"} 30
checkresult_quota_wait_seconds_bucket{le="0.01",priority="deferred"} 1
checkresult_quota_wait_seconds_bucket{le="+Inf",priority="fresh"} 40
checkresult_quota_wait_seconds_bucket{le="+Inf",priority="deferred"} 2
`

function standing(change: Partial<Standing>): Standing {
  return { atNs: 0, calls: 0, share: 10, waits: new Map(), hasWork: true, ...change }
}

/** A period of one second. */
function stretch(calls: number, change: Partial<Standing> = {}): Stretch {
  return {
    from: standing({ calls: 100, ...change }),
    to: standing({ calls: 100 + calls, atNs: 1e9, ...change }),
  }
}

function waits(...counts: readonly number[]): Standing['waits'] {
  return new Map([0.01, 0.02, Infinity].map((bound, at) => [bound, counts[at] ?? 0]))
}

test("reads a replica's calls, share and permit wait times from its metrics", () => {
  expect(standingOf(EXPOSITION, 7, true)).toEqual({
    atNs: 7,
    hasWork: true,
    calls: 42,
    share: 13,
    waits: new Map([
      [0.01, 31],
      [Infinity, 42],
    ]),
  })
})

test('measures unfairness as calls per permit in a period, only over replicas with work', () => {
  const idle = stretch(0, { hasWork: false })
  expect(unfairness([stretch(20, { share: 20 }), stretch(8), idle], 'partition')).toBeCloseTo(1.25)
  expect(unfairness([stretch(20, { share: 20 }), stretch(8), idle], 'redis')).toBeCloseTo(2.5)
  expect(unfairness([stretch(20), idle], 'redis')).toBeNull()
})

test('computes the 99th percentile of the wait over all replicas in a period', () => {
  const before = standing({ waits: waits(1, 1, 50) })
  const good = { from: before, to: standing({ waits: waits(100, 100, 149) }) }
  const late = { from: before, to: standing({ waits: waits(1, 3, 52) }) }
  expect(waitP99Ms([good])).toBe(10)
  expect(waitP99Ms([good, late])).toBe(20)
  expect(waitP99Ms([{ from: before, to: before }])).toBeNull()
})
