/**
 * The records of a Fetch response, decoded by kafkajs, that a read_committed consumer may see. kafkajs's own filter
 * takes the aborted transactions in the order in which the broker lists them, which is the order of their ends, and
 * starts at most one of them per record. If several overlap in a partition, as those of our lanes do on the retry
 * topics, it returns records of aborted transactions.
 */

export interface FetchedPartition {
  readonly messages: readonly FetchedRecord[]
  /** In the order in which they ended. */
  abortedTransactions?: readonly { readonly producerId: string; readonly firstOffset: string }[]
}

export interface FetchedRecord {
  readonly offset: string
  readonly timestamp: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  isControlRecord?: boolean
  /** Absent in formats older than Kafka 0.11. */
  readonly batchContext?: { readonly producerId: string; readonly inTransaction: boolean }
}

/** Sorted by offset, without records of aborted transactions and without control records. Pure. */
export function committedRecords(partition: FetchedPartition): FetchedRecord[] {
  const aborted = abortedRecords(partition)
  return partition.messages.filter((record) => record.isControlRecord !== true && !aborted.has(record))
}

export function abortedRecords({
  messages,
  abortedTransactions,
}: FetchedPartition): ReadonlySet<FetchedRecord> {
  const aborted = (abortedTransactions ?? [])
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: BigInt(firstOffset) }))
    .sort((left, right) => Number(left.firstOffset - right.firstOffset))
  const found = new Set<FetchedRecord>()
  if (aborted.length === 0) return found
  const open = new Set<string>()
  let begun = 0
  for (const record of messages) {
    for (; begun < aborted.length; begun += 1) {
      const next = aborted[begun]
      if (next === undefined || next.firstOffset > BigInt(record.offset)) break
      open.add(next.producerId)
    }
    const { producerId = '', inTransaction = false } = record.batchContext ?? {}
    if (record.isControlRecord === true) {
      if (isAbortMarker(record)) open.delete(producerId)
    } else if (inTransaction && open.has(producerId)) found.add(record)
  }
  return found
}

/** A control record's key is a version and a type; type 0 is an abort. */
function isAbortMarker({ key }: FetchedRecord): boolean {
  return key !== null && key.length >= 4 && key.readInt16BE(2) === 0
}
