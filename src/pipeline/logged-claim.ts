/** Wraps claims and commits to log a debug line for each: the outcome, the offset and the duration. */
import type { ClaimPartition, Clock, InputRecord, Log, OutputSink } from '../ports.ts'

interface LoggedOptions {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly log: Pick<Log, 'debug'>
}

/** Returns `claim` itself unless debug lines are on. */
export function loggedClaim(claim: ClaimPartition, { clock, log }: LoggedOptions): ClaimPartition {
  const { debug } = log
  if (debug === undefined) return claim
  return async (topic, partition) => {
    const startedMs = clock.monotonicMs()
    const claimed = await claim(topic, partition)
    const isClaimed = claimed.kind === 'claimed'
    debug('A claim of the partition has finished. The offset is the committed one, or -1 if there is none.', {
      topic,
      partition,
      outcome: claimed.kind,
      ...(isClaimed
        ? { offset: String(claimed.sink.committedOffset ?? -1n) }
        : { code: claimed.failure.code }),
      durationMs: clock.monotonicMs() - startedMs,
    })
    return isClaimed
      ? { ...claimed, sink: loggedSink(claimed.sink, { topic, partition }, { clock, log }) }
      : claimed
  }
}

function loggedSink(
  sink: OutputSink,
  topicPartition: Pick<InputRecord, 'topic' | 'partition'>,
  { clock, log }: LoggedOptions,
): OutputSink {
  return {
    committedOffset: sink.committedOffset,
    prepare: () => sink.prepare(),
    async publish(outputs, nextOffset) {
      const startedMs = clock.monotonicMs()
      const outcome = await sink.publish(outputs, nextOffset)
      log.debug?.('A commit has finished. The offset is the next one to read.', {
        ...topicPartition,
        outcome: outcome.kind,
        offset: String(nextOffset),
        count: outputs.length,
        durationMs: clock.monotonicMs() - startedMs,
      })
      return outcome
    },
    close() {
      log.debug?.('The output sink of the partition was closed.', topicPartition)
      return sink.close()
    },
  }
}
