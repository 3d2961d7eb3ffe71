import { createHmac } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { hmacSha256 } from '../../../../src/adapters/alibaba/hmac.ts'

function expectAsNode(secret: string, text: string): void {
  expect(hmacSha256(secret, text)).toBe(createHmac('sha256', secret).update(text).digest('hex'))
}

/** RFC 4231, test case 2. */
test('signs as the RFC has it', () => {
  expect(hmacSha256('Jefe', 'what do ya want for nothing?')).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  )
})

test('signs as Node does, whatever secret and text come after which', () => {
  expect.hasAssertions()
  const text = fc.string({ unit: 'binary', maxLength: 130 })
  const secret = fc.oneof(fc.constantFrom('', 'k'.repeat(64), 'k'.repeat(65), '密'.repeat(22)), text)
  fc.assert(
    fc.property(secret, text, text, (one, first, second) => {
      expectAsNode(one, first)
      expectAsNode(one, second)
    }),
  )
})

test('texts up to the longest that is not left to Node, and beyond', () => {
  expect.hasAssertions()
  for (const length of [0, 1, 99, 100, 101]) {
    expectAsNode('a secret', '签'.repeat(length))
    expectAsNode('a secret', 'x'.repeat(length))
  }
})
