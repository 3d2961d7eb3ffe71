import { expect, test } from 'vitest'
import { binaryOf } from '../../../../dev/stack/redis.ts'

test('there is a Redis for the machines people develop on', () => {
  expect(binaryOf('linux', 'arm64')).toMatch(/linux-arm64$/)
  expect(binaryOf('darwin', 'arm64')).toMatch(/darwin-arm64$/)
})

test('where there is none, it is said', () => {
  expect(() => binaryOf('win32', 'x64')).toThrow('The stack has no Redis for win32 on x64.')
})
