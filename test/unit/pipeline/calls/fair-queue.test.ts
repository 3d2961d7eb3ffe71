import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { FairQueue } from '../../../../src/pipeline/calls/fair-queue.ts'

function filled(...pushed: readonly string[]): FairQueue<string> {
  const queue = new FairQueue<string>()
  for (const item of pushed) queue.push(item[0] ?? '', item)
  return queue
}

function drained(queue: FairQueue<string>): string[] {
  const items: string[] = []
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) items.push(item)
  return items
}

test('each source gets its turn, and entries of one source keep their order', () => {
  expect(drained(filled('a1', 'a2', 'a3', 'b1', 'c1', 'b2'))).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
})

test('an entry that is added again goes behind the others', () => {
  const queue = filled('a1', 'b1')
  expect([queue.peek(), queue.shift()]).toEqual(['a1', 'a1'])
  queue.push('a', 'a2')
  expect(drained(queue)).toEqual(['b1', 'a2'])
})

test('entries are removed from any position', () => {
  const queue = filled('a1', 'a2', 'b1', 'c2')
  expect(queue.remove((item) => item.endsWith('2'))).toEqual(['a2', 'c2'])
  expect([queue.length, drained(queue)]).toEqual([2, ['a1', 'b1']])
})

test('an entry is moved to the front from any position, and the others keep their order', () => {
  const queue = filled('a1', 'b1', 'b2', 'c1')
  expect(queue.prefer((item) => item === 'b2')).toBe(true)
  expect(drained(queue)).toEqual(['b2', 'a1', 'c1', 'b1'])
  expect(filled('a1').prefer(() => false)).toBe(false)
})

test('every entry leaves the queue once, and the length is always correct', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.constantFrom('a', 'b', 'c')), { maxLength: 60 }), (steps) => {
      const queue = new FairQueue<number>()
      const pushed: number[] = []
      const got: number[] = []
      for (const [at, key] of steps.entries()) {
        if (key === null) got.push(...[queue.shift()].filter((item) => item !== undefined))
        else {
          queue.push(key, at)
          pushed.push(at)
        }
        expect(queue.length).toBe(pushed.length - got.length)
      }
      got.push(...queue.remove(() => true))
      expect(got.toSorted((left, right) => left - right)).toEqual(pushed)
    }),
  )
})
