import { describe, expect, test } from 'vitest'
import { patchFetch, type AnsweredPartition } from '../../../../dev/harness/patch-fetch.ts'
import type { FetchedRecord } from '../../../../dev/harness/aborted-records.ts'

const batchContext = { producerId: '7', inTransaction: true }
const record: FetchedRecord = { offset: '3', timestamp: '0', key: null, value: null, batchContext }
const abortMarker: FetchedRecord = {
  ...record,
  offset: '4',
  key: Buffer.from([0, 0, 0, 0]),
  isControlRecord: true,
}
const quiet = { errorCode: 0, messages: [], abortedTransactions: [], preferredReadReplica: -1 }

/** The topics with these partitions as kafkajs receives them. */
async function seenOf(...topics: AnsweredPartition[][]) {
  const decoded = { throttleTime: 0, responses: topics.map((partitions) => ({ partitions })) }
  const response = { decode: () => Promise.resolve(decoded) }
  patchFetch([response])
  patchFetch([response])
  const seen = await response.decode()
  expect(seen.throttleTime).toBe(0)
  return seen.responses
}

describe('a patched Fetch response', () => {
  test('contains only partitions that have records', async () => {
    const full = { ...quiet, messages: [record] }
    expect(await seenOf([quiet, full, quiet], [quiet])).toEqual([{ partitions: [full] }])
    expect(await seenOf([quiet], [quiet])).toEqual([])
  })

  test('keeps errors and preferred replicas', async () => {
    const failed = { ...quiet, errorCode: 6 }
    const elsewhere = { ...quiet, preferredReadReplica: 2 }
    expect(await seenOf([failed, quiet], [elsewhere])).toEqual([
      { partitions: [failed] },
      { partitions: [elsewhere] },
    ])
  })

  test('omits empty partitions in versions without preferred replicas', async () => {
    expect(await seenOf([{ errorCode: 0, messages: [] }])).toEqual([])
  })

  test('contains the records of aborted transactions as control records, which the consumer skips', async () => {
    const aborted = [{ producerId: '7', firstOffset: '3' }]
    const [topic] = await seenOf([
      { ...quiet, messages: [{ ...record }, abortMarker], abortedTransactions: aborted },
    ])
    expect(topic?.partitions[0]?.messages.map(({ isControlRecord }) => isControlRecord)).toEqual([true, true])
    expect(topic?.partitions[0]?.abortedTransactions).toEqual([])
  })
})
