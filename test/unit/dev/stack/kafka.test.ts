import { expect, test } from 'vitest'
import { formatCommand } from '../../../../dev/stack/kafka.ts'
import { toProperties } from '../../../../dev/stack/kafka-config.ts'

test('broker properties are escaped as Java reads them', () => {
  expect(toProperties({ 'log.dirs': '/data', pattern: String.raw`a\d` })).toBe(
    'log.dirs=/data\npattern=a\\\\d\n',
  )
})

test('a cluster id that begins with a dash is not parsed as an option', () => {
  expect(formatCommand('-d5dB7cZQ9Kk0l2m4n6pAw', '/config')).not.toContain('-d5dB7cZQ9Kk0l2m4n6pAw')
})
