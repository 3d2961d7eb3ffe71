import { expect, test } from 'vitest'
import { binaryOf } from '../../../../dev/stack/redis.ts'

test('a Redis build exists for the platforms that developers use', () => {
  expect(binaryOf('linux', 'arm64')).toMatch(/linux-arm64$/)
  expect(binaryOf('darwin', 'arm64')).toMatch(/darwin-arm64$/)
})

test('an unsupported platform gets a message', () => {
  expect(() => binaryOf('win32', 'x64')).toThrow('The stack has no Redis for win32 on x64.')
})
