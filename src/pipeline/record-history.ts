/** What is known of a record's past when it arrives. Pure. */
import { readHistory, readRedrives, type History } from '../core/history.ts'
import type { Clock, InputRecord } from '../ports.ts'

/**
 * Our headers are believed on our own retry topics only, because anybody may write them to the input topic. The number of
 * redrives is believed there too: it can only put the record behind others.
 */
export function recordHistory(
  record: InputRecord,
  { inputTopic, clock }: { readonly inputTopic: string; readonly clock: Pick<Clock, 'epochMs'> },
): History {
  const { topic, partition, offset } = record
  const fresh: History = {
    attempts: 0,
    firstSeenMs: clock.epochMs(),
    source: { topic, partition, offset },
    redrives: 0,
  }
  return topic === inputTopic
    ? { ...fresh, redrives: readRedrives(record.headers) }
    : readHistory(record.headers, fresh)
}
