/** Claims and commits with a debug line each: what became of it, where the partition is now, and how long it took. */
import type { ClaimPartition, Clock, Log, OutputSink } from '../ports.ts'

interface Place {
  readonly topic: string
  readonly partition: number
}

interface LoggedOptions {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly log: Pick<Log, 'debug'>
}

/** The same function if the level is off. */
export function loggedClaim(claim: ClaimPartition, { clock, log }: LoggedOptions): ClaimPartition {
  const { debug } = log
  if (debug === undefined) return claim
  return async (topic, partition) => {
    const startedMs = clock.monotonicMs()
    const claimed = await claim(topic, partition)
    const isClaimed = claimed.kind === 'claimed'
    debug('A claim of the partition has ended (offset -1: nothing is committed).', {
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

function loggedSink(sink: OutputSink, place: Place, { clock, log }: LoggedOptions): OutputSink {
  return {
    committedOffset: sink.committedOffset,
    prepare: () => sink.prepare(),
    async publish(outputs, nextOffset) {
      const startedMs = clock.monotonicMs()
      const outcome = await sink.publish(outputs, nextOffset)
      log.debug?.('A commit has ended. The offset is the one to read next.', {
        ...place,
        outcome: outcome.kind,
        offset: String(nextOffset),
        count: outputs.length,
        durationMs: clock.monotonicMs() - startedMs,
      })
      return outcome
    },
    close() {
      log.debug?.('The output sink of the partition is closed.', place)
      return sink.close()
    },
  }
}
