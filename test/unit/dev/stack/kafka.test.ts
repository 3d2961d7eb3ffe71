import { expect, test } from 'vitest'
import { toProperties } from '../../../../dev/stack/kafka.ts'

test('broker properties are written as Java reads them', () => {
  expect(toProperties({ 'log.dirs': '/data', pattern: String.raw`a\d` })).toBe(
    'log.dirs=/data\npattern=a\\\\d\n',
  )
})
