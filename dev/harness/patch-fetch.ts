/**
 * Patches the kafkajs consumers with which tests, the demo and the benchmark read the outputs. It changes Fetch
 * responses when they are decoded, before the consumer sees them:
 *
 * Aborted records become control records, which kafkajs skips (see `aborted-records.ts` for the reason).
 *
 * Partitions without records are removed, because kafkajs creates a batch for each partition in a response.
 */
import { responseOf } from '../../src/adapters/kafka/kafkajs/internals.ts'
import { abortedRecords, type FetchedPartition } from './aborted-records.ts'

/** The decoders of Fetch responses, for all versions with transactions. Looked up for each response. */
const FETCH_RESPONSES = [4, 5, 6, 7, 8, 9, 10, 11].map(
  (apiVersion) => responseOf('Fetch', apiVersion) as unknown as FetchResponse,
)

interface FetchResponse {
  decode: (rawData: Buffer) => Promise<{ responses: AnsweredTopic[] }>
}

interface AnsweredTopic {
  readonly partitions: AnsweredPartition[]
}

/** Before errors are thrown. */
export interface AnsweredPartition extends FetchedPartition {
  readonly errorCode: number
  /** -1 if there is none; absent before version 11. */
  readonly preferredReadReplica?: number
}

const NO_REPLICA = -1

const patched = new WeakSet<object>()

/** Must be called before the first fetch. A second call changes nothing. */
export function patchFetch(responses: readonly FetchResponse[] = FETCH_RESPONSES): void {
  for (const response of responses) {
    if (patched.has(response)) continue
    patched.add(response)
    const { decode } = response
    response.decode = async (rawData) => {
      const decoded = await decode(rawData)
      return { ...decoded, responses: decoded.responses.map(withNews).filter(hasPartitions) }
    }
  }
}

function withNews(topic: AnsweredTopic): AnsweredTopic {
  const partitions = topic.partitions.filter(hasNews)
  for (const partition of partitions) {
    for (const record of abortedRecords(partition)) record.isControlRecord = true
    partition.abortedTransactions = []
  }
  return { ...topic, partitions }
}

/** Whether the partition has records, an error, or a preferred replica. */
function hasNews({ messages, errorCode, preferredReadReplica = NO_REPLICA }: AnsweredPartition): boolean {
  return messages.length > 0 || errorCode !== 0 || preferredReadReplica !== NO_REPLICA
}

function hasPartitions({ partitions }: AnsweredTopic): boolean {
  return partitions.length > 0
}
