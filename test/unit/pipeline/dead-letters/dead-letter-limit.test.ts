import { describe, expect, test } from 'vitest'
import { UNLIMITED } from '../../../../src/core/quota/token-bucket.ts'
import { DeadLetterLimit } from '../../../../src/pipeline/dead-letters/dead-letter-limit.ts'
import type { Counts } from '../../../../src/pipeline/record/outputs.ts'
import { PermitQueue } from '../../../../src/pipeline/calls/permit-queue.ts'
import { FakeClock, flushPromises } from '../../../support/fake-clock.ts'
import { FakeShard } from '../../../support/fake-shard.ts'
import { fakeLog, fakeMetrics } from '../../../support/fakes.ts'
import { firstOffsets, runningShard, written } from '../../../support/shard-bed.ts'

const COOLDOWN_MS = 300_000
const DEAD: Counts = {
  kind: 'dead-letter',
  reason: 'undecodable',
  code: 'malformed-json',
  source: { topic: 'in', partition: 0, offset: 0n },
}
/** Every tenth offset. */
const isBad = (offset: number): boolean => offset % 10 === 0
const DEFERRED: Counts = { kind: 'deferred', reason: 'pending' }
const RESULT: Counts = {
  kind: 'result',
  facts: {
    verdict: 'PASSED',
    subCode: '200',
    family: null,
    risk: 'absent',
    spoofTypes: [],
    disagrees: false,
  },
  unreadable: false,
  attempts: 1,
  dropped: [],
}

function limited(share: number | null = 0.5) {
  const clock = new FakeClock()
  const metrics = fakeMetrics()
  const log = fakeLog()
  const permits = new PermitQueue({ limiter: UNLIMITED, maxInFlight: 10, clock, metrics, log })
  const deadLetterLimit = new DeadLetterLimit({ share, cooldownMs: COOLDOWN_MS, permits, clock })
  let left = 0
  let through = 0
  const commit = (): void => {
    for (; left > 0 && deadLetterLimit.allows(DEAD, commit); left -= 1) through += 1
  }
  const deadLetters = (count: number): void => {
    left += count
    commit()
  }
  return { deadLetterLimit, permits, clock, metrics, log, deadLetters, through: () => through }
}

test('the dead-letter limit allows half of the last hundred records, then opens the circuit breaker and logs it once', () => {
  const { permits, metrics, log, through, deadLetters } = limited()
  deadLetters(500)
  expect([through(), permits.openReason]).toEqual([50, 'dead-letter-limit'])
  expect(metrics.of('circuit')).toEqual([['dead-letter-limit']])
  expect(log.lines).toHaveLength(1)
})

test('the dead-letter limit allows other outcomes even after it has tripped', () => {
  const { deadLetterLimit, deadLetters } = limited()
  deadLetters(51)
  expect(deadLetterLimit.allows(DEFERRED, () => undefined)).toBe(true)
})

test.each<Counts>([
  { kind: 'duplicate' },
  DEFERRED,
  { kind: 'foreign', foreign: 'tombstone', deadLettered: false },
  { kind: 'foreign', foreign: 'wrong-schema', deadLettered: true },
])('an outcome that does not end a record counts neither as success nor as failure: $kind', (counts) => {
  const { deadLetterLimit, through, deadLetters, permits } = limited()
  for (let record = 0; record < 200; record += 1) {
    deadLetters(1)
    expect(deadLetterLimit.allows(counts, () => undefined)).toBe(true)
  }
  expect([through(), permits.openReason]).toEqual([50, 'dead-letter-limit'])
})

test('no call starts during the cooldown of the dead-letter limit', async () => {
  const { permits, deadLetters, clock } = limited()
  deadLetters(51)
  let granted = false
  void permits.acquire('fresh', 'in:0', () => true).then(() => (granted = true))
  await clock.advance(COOLDOWN_MS - 1)
  expect(granted).toBe(false)
  await clock.advance(1)
  expect([granted, permits.openReason]).toEqual([true, null])
})

test('the dead-letter limit allows a few more after each cooldown, and all of them once they are rare', async () => {
  const { clock, through, deadLetters, permits } = limited()
  deadLetters(120)
  expect(through()).toBe(50)
  await clock.advance(COOLDOWN_MS)
  expect([through(), permits.openReason]).toEqual([100, 'dead-letter-limit'])
  await clock.advance(COOLDOWN_MS)
  expect([through(), permits.openReason]).toEqual([120, null])
})

test('each line about the circuit breaker says that the dead-letter limit opened it or tries again', async () => {
  const { clock, deadLetters, log } = limited()
  deadLetters(120)
  await clock.advance(2 * COOLDOWN_MS)
  const opened =
    'The circuit breaker is open, reason dead-letter-limit. Too many of the last records would become dead letters. ' +
    'Calls are paused. Events wait and none is lost. Run `npm start -- dlq stats`, and check what changed: the producer, ' +
    'the schema of its events, the account, or this service. The service tries again after DEAD_LETTER_LIMIT_COOLDOWN.'
  const closed =
    'The circuit breaker is closed again: calls resume. The cooldown of the dead-letter limit is over, and the service ' +
    'tries the next records. The limit trips again if they are no better.'
  expect(log.lines).toEqual([opened, closed, opened, closed])
})

test('a rebalance does not end the cooldown', () => {
  const { permits, deadLetters } = limited()
  deadLetters(51)
  permits.pause('rebalance')
  permits.resume('rebalance')
  expect(permits.openReason).toBe('dead-letter-limit')
})

test('the dead-letter limit never trips if it is off', () => {
  const { permits, through, deadLetters } = limited(null)
  deadLetters(1_000)
  expect([through(), permits.openReason]).toEqual([1_000, null])
})

describe('a lane under the dead-letter limit', () => {
  test('counts dead letters in record order even if they finish first', async () => {
    const { deadLetterLimit, permits } = limited()
    const { receive, finishAs, broker } = await runningShard(new FakeShard(), { deadLetterLimit })
    const records = firstOffsets(900)
    await receive(...records)
    await finishAs(DEAD, ...records.filter(isBad))
    await finishAs(RESULT, ...records.filter((offset) => !isBad(offset)))
    expect([permits.openReason, broker.committed]).toEqual([null, 900n])
  })

  test('keeps the records from the first held-back dead letter on until the cooldown is over', async () => {
    const { deadLetterLimit, clock } = limited(0.02)
    const { receive, finish, finishAs, broker } = await runningShard(new FakeShard(), {
      deadLetterLimit,
    })
    await receive(...firstOffsets(6))
    await finishAs(DEAD, 1, 2, 3)
    await finish(0, 4)
    expect([written(broker), broker.committed]).toEqual([[0, 1, 2], 3n])
    await clock.advance(COOLDOWN_MS)
    expect([written(broker), broker.committed]).toEqual([[0, 1, 2, 3, 4], 5n])
  })

  test('can still drain, and leaves those records to the next owner', async () => {
    const { deadLetterLimit } = limited(0.01)
    const { shard, receive, finish, finishAs, broker } = await runningShard(new FakeShard(), {
      deadLetterLimit,
    })
    await receive(0, 1, 2)
    await finishAs(DEAD, 0, 1)
    const drained = shard.drain()
    await flushPromises()
    expect(shard.phase).toBe('draining')
    await finish(2)
    await drained
    expect([written(broker), broker.committed, shard.phase]).toEqual([[0], 1n, 'closed'])
  })
})
