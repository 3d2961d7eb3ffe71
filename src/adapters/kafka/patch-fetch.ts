/**
 * Two things kafkajs does not do with the answers to Fetch, done where they are decoded, before its consumer sees them.
 *
 * Aborted records become control records, which it hands to nobody and yet reads past (why: `committed-records.ts`).
 *
 * Partitions without news are left out. A broker lists all that were asked for in each answer, and kafkajs makes a batch of
 * each, a turn of its queue and a question whether a heartbeat is due. At 200 events a second that is 31 of the benchmark's
 * 32 partitions, at every answer. One that is left with nothing is a heartbeat's occasion.
 */
import { abortedRecords } from './committed-records.ts'
import {
  FETCH_RESPONSES,
  type AnsweredPartition,
  type AnsweredTopic,
  type FetchResponse,
} from './internals.ts'

const NO_REPLICA = -1

const patched = new WeakSet<object>()

/** To be called before the first fetch; a second call changes nothing. */
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

/** Records, an error, or another replica to read from. */
function hasNews({ messages, errorCode, preferredReadReplica = NO_REPLICA }: AnsweredPartition): boolean {
  return messages.length > 0 || errorCode !== 0 || preferredReadReplica !== NO_REPLICA
}

function hasPartitions({ partitions }: AnsweredTopic): boolean {
  return partitions.length > 0
}
