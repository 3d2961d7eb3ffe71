import { createHmac } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { hmacSha256 } from '../../../../src/adapters/alibaba/hmac.ts'

function expectAsNode(secret: string, text: string): void {
  expect(hmacSha256(secret, text)).toBe(createHmac('sha256', secret).update(text).digest('hex'))
}

/** RFC 4231, test case 2. */
test('equals the test vector of the RFC', () => {
  expect(hmacSha256('Jefe', 'what do ya want for nothing?')).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  )
})

test("equals Node's HMAC for any sequence of secrets and texts", () => {
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

test("equals Node's HMAC for texts around the maximum length of the fast implementation", () => {
  expect.hasAssertions()
  for (const length of [0, 1, 99, 100, 101]) {
    expectAsNode('a secret', '签'.repeat(length))
    expectAsNode('a secret', 'x'.repeat(length))
  }
})
