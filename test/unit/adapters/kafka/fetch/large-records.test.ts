import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { decodeRecords } from '../../../../../src/adapters/kafka/fetch/decode-records.ts'
import { MAX_VALUE_BYTES } from '../../../../../src/adapters/kafka/fetch/record-reader.ts'
import { CODECS, type Codec } from '../../../../../src/core/compression.ts'
import { encodedHeaders } from '../../../../../src/core/records/headers.ts'
import type { InputRecord } from '../../../../../src/ports.ts'
import { blanksBatch, decodeOptions, storedBatch, textRecord } from '../../../../support/batches.ts'
import { fakeLog } from '../../../../support/fakes.ts'

const COMPRESSIONS = CODECS.filter((codec) => codec !== 'none')
const MEGABYTE = 1024 * 1024
const LARGE = Buffer.alloc(MAX_VALUE_BYTES + 1, ' ')
function described(bytes: Buffer) {
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

async function decoded(codec: Codec, large: Partial<InputRecord>) {
  const record = { ...textRecord('small'), key: Buffer.from('key'), ...large }
  const log = fakeLog()
  const bytes = await storedBatch(0n, [textRecord('before'), record, textRecord('after')], { codec })
  const answer = await decodeRecords(bytes, decodeOptions({ log }))
  expect(answer.records.map(({ offset }) => offset)).toEqual([0n, 1n, 2n])
  expect(answer.records.map(({ value }) => String(value)).filter((_, at) => at !== 1)).toEqual([
    'before',
    'after',
  ])
  return { record: answer.records[1], lines: log.lines }
}

describe('a record that is too large', () => {
  test.each(CODECS)('is decoded without its value but with its size and checksum in %s', async (codec) => {
    const { record, lines } = await decoded(codec, { value: LARGE })
    expect(record).toMatchObject({ key: Buffer.from('key'), value: null })
    expect(record?.leftOut).toEqual([{ field: 'value', ...described(LARGE) }])
    expect(lines).toEqual([expect.stringMatching(/^A record is too large to keep in memory\./)])
  })

  test.each(CODECS)('is decoded without its key and headers in %s', async (codec) => {
    const { record } = await decoded(codec, {
      key: LARGE,
      headers: [{ name: 'large', value: LARGE }],
    })
    expect(record).toMatchObject({ key: null, value: Buffer.from('small'), headers: [] })
    expect(record?.leftOut?.map(({ field }) => field)).toEqual(['key', 'headers'])
    expect(record?.leftOut?.[0]).toEqual({ field: 'key', ...described(LARGE) })
    const encoded = encodedHeaders([{ name: 'large', value: LARGE }])
    expect(record?.leftOut?.[1]).toEqual({ field: 'headers', ...described(encoded) })
  })

  test('is decoded without headers if there are too many', async () => {
    const headers = Array.from({ length: 10_001 }, () => ({ name: '', value: null }))
    const { record } = await decoded('none', { headers })
    expect(record?.leftOut).toEqual([{ field: 'headers', ...described(encodedHeaders(headers)) }])
  })

  test.each(COMPRESSIONS)('needs little memory to decode 200 MB of spaces in %s', async (codec) => {
    const bytes = await blanksBatch(codec, 200)
    const before = process.memoryUsage.rss()
    let peak = before
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 2)
    const { records } = await decodeRecords(bytes, decodeOptions())
    clearInterval(watch)
    expect(records.map(({ leftOut }) => leftOut?.[0]?.bytes)).toEqual([200 * MEGABYTE])
    expect(Math.max(peak, process.memoryUsage.rss()) - before).toBeLessThan(110 * MEGABYTE)
  })
})
