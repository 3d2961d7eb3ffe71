/** Reads the history of an incoming record. Pure. */
import { readHistory, readRedrives, type History } from '../../core/records/history.ts'
import type { Clock, InputRecord } from '../../ports.ts'

/**
 * The history headers are only trusted on our own retry topics, because anybody may write them to the input topic. The
 * number of redrives is trusted there too, because it can only lower the record's priority.
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
