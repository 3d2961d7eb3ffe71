import { expect, test } from 'vitest'
import { UNLIMITED } from '../../../src/core/token-bucket.ts'
import { Brake } from '../../../src/pipeline/brake.ts'
import { PermitQueue } from '../../../src/pipeline/permit-queue.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { fakeLog, fakeMetrics } from '../../support/fakes.ts'

const HOLD_MS = 300_000

function braking(share: number | null = 0.5) {
  const clock = new FakeClock()
  const metrics = fakeMetrics()
  const log = fakeLog()
  const permits = new PermitQueue({ limiter: UNLIMITED, maxInFlight: 10, clock, metrics, log })
  const brake = new Brake({ share, holdMs: HOLD_MS, permits, clock })
  const ended = { through: 0, dropped: 0 }
  const deadLetters = (count: number, wanted = (): boolean => true): void => {
    for (let left = count; left > 0; left -= 1) {
      void Promise.resolve(brake.deadLetter('undecodable', wanted)).then((goesOn) => {
        ended[goesOn ? 'through' : 'dropped'] += 1
      })
    }
  }
  return { brake, permits, clock, metrics, log, ended, deadLetters }
}

test('lets half of the last hundred through, then closes the gate and says so once', async () => {
  const { permits, metrics, log, ended, deadLetters } = braking()
  deadLetters(500)
  await settle()
  expect([ended.through, permits.closed]).toEqual([50, 'dead-letter-brake'])
  expect(metrics.of('gate')).toEqual([['dead-letter-brake']])
  expect(log.lines).toHaveLength(1)
})

test('no call starts while it holds', async () => {
  const { permits, deadLetters, clock } = braking()
  deadLetters(51)
  let granted = false
  void permits.acquire('fresh', 'in:0', () => true).then(() => (granted = true))
  await clock.advance(HOLD_MS - 1)
  expect(granted).toBe(false)
  await clock.advance(1)
  expect([granted, permits.closed]).toEqual([true, null])
})

test('lets some more through each time it lets go, and all of them once they are few', async () => {
  const { clock, ended, deadLetters, permits } = braking()
  deadLetters(120)
  await settle()
  expect(ended.through).toBe(50)
  await clock.advance(HOLD_MS)
  expect([ended.through, permits.closed]).toEqual([100, 'dead-letter-brake'])
  await clock.advance(HOLD_MS)
  expect([ended.through, permits.closed]).toEqual([120, null])
})

test('drops those nobody wants any more', async () => {
  const { brake, ended, deadLetters } = braking()
  let wanted = true
  deadLetters(60, () => wanted)
  wanted = false
  brake.sweep()
  await settle()
  expect(ended).toEqual({ through: 50, dropped: 10 })
})

test('a rebalance meanwhile does not let go', async () => {
  const { permits, deadLetters } = braking()
  deadLetters(51)
  permits.hold('rebalance')
  permits.resume('rebalance')
  await settle()
  expect(permits.closed).toBe('dead-letter-brake')
})

test('never holds where it is off', async () => {
  const { permits, ended, deadLetters } = braking(null)
  deadLetters(1_000)
  await settle()
  expect([ended.through, permits.closed]).toEqual([1_000, null])
})
