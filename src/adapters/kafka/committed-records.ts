/**
 * What a read_committed reader may see of a fetch answer. kafkajs's own filter takes the aborted transactions in the
 * order the broker lists them, which is that of their ends, and begins one of them a record at most: where several
 * overlap in a partition, it lets records of aborted transactions through. Pure.
 */
import type { FetchedRecord, FetchedPartition } from './internals.ts'

/** In order of their offsets; neither of aborted transactions nor control records. */
export function committedRecords({ messages, abortedTransactions }: FetchedPartition): FetchedRecord[] {
  const aborted = (abortedTransactions ?? [])
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: BigInt(firstOffset) }))
    .sort((left, right) => Number(left.firstOffset - right.firstOffset))
  const open = new Set<string>()
  let begun = 0
  return messages.filter((record) => {
    for (; begun < aborted.length; begun += 1) {
      const next = aborted[begun]
      if (next === undefined || next.firstOffset > BigInt(record.offset)) break
      open.add(next.producerId)
    }
    const { producerId, inTransaction } = record.batchContext ?? {}
    if (record.isControlRecord) {
      if (producerId !== undefined && isAbortMarker(record)) open.delete(producerId)
      return false
    }
    return !(inTransaction === true && producerId !== undefined && open.has(producerId))
  })
}

/** A control record's key is a version and a type; type 0 is an abort. */
function isAbortMarker({ key }: FetchedRecord): boolean {
  return key !== null && key.length >= 4 && key.readInt16BE(2) === 0
}
