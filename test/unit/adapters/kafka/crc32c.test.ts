import { expect, test } from 'vitest'
import { crc32c } from '../../../../src/adapters/kafka/crc32c.ts'

// RFC 3720, B.4, read as big-endian numbers.
test.each([
  ['32 bytes of zeros', Buffer.alloc(32), 0x8a9136aa],
  ['32 bytes of ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['32 bytes, ascending', Buffer.from(Array.from({ length: 32 }, (_, at) => at)), 0x46dd794e],
  ['nothing', Buffer.alloc(0), 0],
  ['the check value', Buffer.from('123456789'), 0xe3069283],
])('the checksum of %s is the standard one', (_, bytes, expected) => {
  expect(crc32c(bytes, 0, bytes.length)).toBe(expected)
})

test('the checksum covers only the part between start and end', () => {
  const bytes = Buffer.from('..123456789..')
  expect(crc32c(bytes, 2, 11)).toBe(0xe3069283)
})
