/** Wraps claims and commits to log a debug line for each: the outcome, the offsets and the duration. */
import { partitionNames } from '../../core/partitions/partition-names.ts'
import type { TopicPartition } from '../../core/partitions/topic-partition.ts'
import type { ClaimShard, Clock, Log, LogFields, OutputSink } from '../../ports.ts'

interface LoggedOptions {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly log: Pick<Log, 'debug'>
}

/** Returns `claim` itself unless debug lines are on. */
export function loggedClaim(claim: ClaimShard, { clock, log }: LoggedOptions): ClaimShard {
  const { debug } = log
  if (debug === undefined) return claim
  return async (shard, partitions) => {
    const startedMs = clock.monotonicMs()
    const claimed = await claim(shard, partitions)
    debug(
      'A claim of the partitions has finished. The offsets are the committed ones, or -1 if there is none.',
      {
        partitions: partitionNames(partitions),
        outcome: claimed.kind,
        ...(claimed.kind === 'claimed'
          ? { detail: offsetsOf(partitions, (one) => claimed.sink.committedOffset(one) ?? -1n) }
          : { code: claimed.failure.code }),
        durationMs: clock.monotonicMs() - startedMs,
      },
    )
    return claimed.kind === 'claimed'
      ? {
          ...claimed,
          sink: loggedSink(claimed.sink, { partitions: partitionNames(partitions) }, { clock, log }),
        }
      : claimed
  }
}

function loggedSink(sink: OutputSink, fields: LogFields, { clock, log }: LoggedOptions): OutputSink {
  return {
    committedOffset: (of) => sink.committedOffset(of),
    prepare: (partition) => sink.prepare(partition),
    async publish(outputs, offsets) {
      const startedMs = clock.monotonicMs()
      const outcome = await sink.publish(outputs, offsets)
      log.debug?.('A commit has finished. The offsets are the next ones to read.', {
        outcome: outcome.kind,
        detail: offsetsOf(offsets, ({ nextOffset }) => nextOffset),
        count: outputs.length,
        durationMs: clock.monotonicMs() - startedMs,
      })
      return outcome
    },
    close() {
      log.debug?.('The output sink of the partitions was closed.', fields)
      return sink.close()
    },
  }
}

function offsetsOf<Item extends TopicPartition>(
  items: readonly Item[],
  offset: (item: Item) => bigint,
): string {
  return items.map((item) => `${item.topic}:${item.partition}=${offset(item)}`).join(' ')
}
