import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { QuotaGroup, Replica, WINDOW_MS } from '../../../support/quota-group.ts'
import { maxWithin, VirtualTime } from '../../../support/virtual-time.ts'

const LASTS_MS = 40_000
/** Sums of fractions are not exact to the last bit. */
const ROUNDING_MS = 1e-6

const INCIDENTS = ['start', 'leave', 'kill', 'restart', 'replace', 'freeze', 'rejoin', 'jump'] as const

const incident = fc.record({
  atMs: fc.integer({ min: 0, max: LASTS_MS }),
  kind: fc.constantFrom(...INCIDENTS),
  who: fc.nat(20),
  forMs: fc.oneof(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1_000, max: 15_000 })),
})

const runs = fc.record({
  permits: fc.integer({ min: 1, max: 12 }),
  partitions: fc.integer({ min: 1, max: 40 }),
  replicas: fc.integer({ min: 1, max: 4 }),
  hasInstanceIds: fc.boolean(),
  incidents: fc.array(incident, { maxLength: 12 }),
  seed: fc.integer({ min: 1, max: 2 ** 31 - 2 }),
})
type Run = typeof runs extends fc.Arbitrary<infer T> ? T : never

/** Park and Miller's generator. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

function run({ permits, partitions, replicas, hasInstanceIds, incidents, seed }: Run): readonly number[] {
  const time = new VirtualTime()
  const random = randomFrom(seed)
  const group = new QuotaGroup({ time, random, permits, partitions, sessionMs: 3_000, rebalanceMs: 3_000 })
  let started = 0
  const start = (): Replica => new Replica(group, hasInstanceIds ? `instance-${(started += 1)}` : null)
  const present = Array.from({ length: replicas }, start)
  const happens: Record<(typeof INCIDENTS)[number], (who: Replica | undefined, forMs: number) => void> = {
    start: () => present.length < 6 && present.push(start()),
    leave: (who) => who?.leave(),
    kill: (who) => who?.kill(),
    restart: (who) => who !== undefined && present.splice(present.indexOf(who), 1, who.restart()),
    replace: (who) => {
      who?.leave()
      present.push(start())
    },
    freeze: (who, forMs) => who?.freeze(forMs),
    rejoin: (who) => who?.rejoin(0),
    jump: (who, forMs) => who?.jump(who === present[0] ? forMs : -forMs),
  }
  for (const { atMs, kind, who, forMs } of incidents) {
    time.after(atMs, () => happens[kind](present[who % present.length], forMs))
  }
  time.runUntil(LASTS_MS)
  return group.calls
}

test('no second contains more calls than the quota over all replicas, whatever happens to them', () => {
  fc.assert(
    fc.property(runs, (one) => {
      expect(maxWithin(run(one), WINDOW_MS - ROUNDING_MS)).toBeLessThanOrEqual(one.permits)
    }),
    { numRuns: 60 },
  )
})
