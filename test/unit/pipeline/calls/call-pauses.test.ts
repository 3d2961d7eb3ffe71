/** Messages while calls are paused. */
import { expect, test } from 'vitest'
import { flushPromises } from '../../../support/fake-clock.ts'
import { ANSWERED, queueWith, REFUSED } from '../../../support/permit-queue.ts'

test('the log and the status page show the code of the API while calls are paused', async () => {
  const { queue, log, clock, ask, release } = queueWith()
  ask('a')
  await flushPromises()
  release(REFUSED)
  ask('b')
  expect(log.lines[0]).toMatch(
    /^The circuit breaker is open, reason credentials \(Forbidden\)\. The API rejects the/,
  )
  expect(queue.status).toBe('open, reason credentials (Forbidden)')
  await clock.advance(5_000)
  release(ANSWERED)
  expect(queue.status).toBe('closed')
})

test('a value that does not look like a code is not shown', async () => {
  const { ask, release, queue, log } = queueWith()
  ask('a')
  await flushPromises()
  release({ kind: 'blocked', reason: 'refused', code: 'Dear CESHI, your card A0000000' })
  expect([queue.status, log.lines.join().includes('CESHI')]).toEqual([
    'open, reason refused (unprintable)',
    false,
  ])
})

test('a rejection while the clock is far off is attributed to the clock, with the difference', async () => {
  const clock = {
    isOff: true,
    description: 'The clock of this machine is 2 h ahead of the clock of the API.',
  }
  const { ask, release, queue, log } = queueWith({ apiClock: clock })
  ask('a')
  await flushPromises()
  release({ kind: 'blocked', reason: 'credentials', code: 'SignatureDoesNotMatch' })
  expect(queue.openReason).toBe('clock')
  expect(queue.status).toBe(`open, reason clock (SignatureDoesNotMatch): ${clock.description}`)
  expect(log.lines[0]).toContain('reason clock (SignatureDoesNotMatch)')
})

test('calls that are paused because of the clock have a separate reason', () => {
  const { queue, metrics } = queueWith()
  queue.pause('clock', 'The brokers reject the timestamps.')
  expect([queue.openReason, queue.status]).toEqual([
    'clock',
    'open, reason clock: The brokers reject the timestamps.',
  ])
  queue.resume('clock')
  expect(metrics.of('circuit')).toEqual([['clock'], [null]])
})
