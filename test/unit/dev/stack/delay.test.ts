import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Delay } from '../../../../dev/stack/delay.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

test('no delay passes items on at once', () => {
  const done: number[] = []
  const delay = new Delay(0)
  delay.pass(() => done.push(1))
  expect(done).toEqual([1])
})

test('a random delay keeps the order of items and stays within its maximum', () => {
  const chances = vi.spyOn(Math, 'random')
  for (const chance of [0.5, 0, 0.99]) chances.mockReturnValueOnce(chance)
  const done: string[] = []
  const delay = new Delay(100)
  for (const name of ['a', 'b', 'c']) delay.pass(() => done.push(name))
  vi.advanceTimersByTime(49)
  expect(done).toEqual([])
  vi.advanceTimersByTime(2)
  expect(done).toEqual(['a', 'b'])
  vi.advanceTimersByTime(50)
  expect(done).toEqual(['a', 'b', 'c'])
})
