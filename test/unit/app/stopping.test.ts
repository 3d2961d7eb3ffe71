import { expect, test } from 'vitest'
import { Stopping } from '../../../src/app/stopping.ts'
import { FakeClock, flushPromises } from '../../support/fake-clock.ts'

function pausing(delayMs: number) {
  const clock = new FakeClock()
  const stopping = new Stopping(clock)
  let isOver = false
  void stopping.pause(delayMs).then(() => (isOver = true))
  return { clock, stopping, isOver: () => isOver }
}

test('a pause ends after its time', async () => {
  const { clock, isOver } = pausing(1_000)
  await clock.advance(999)
  expect(isOver()).toBe(false)
  await clock.advance(1)
  expect(isOver()).toBe(true)
})

test('a stop ends a pause at once and leaves no timer, and later pauses do not begin', async () => {
  const { clock, stopping, isOver } = pausing(30_000)
  stopping.stop()
  await flushPromises()
  expect([isOver(), clock.timers]).toEqual([true, 0])
  await stopping.pause(30_000)
  await stopping.requested
  expect([stopping.isStopped, clock.timers]).toEqual([true, 0])
})
