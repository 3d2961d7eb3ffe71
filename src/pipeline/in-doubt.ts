/** A publish with unknown outcome. The next claim reads the committed offset, which shows whether it was committed. */
import type { InputRecord, OutputSink, PublishOutcome } from '../ports.ts'
import type { Prefix } from './offset-tracker.ts'
import type { ProcessedRecord } from './outputs.ts'

export class InDoubt {
  readonly #count: (finished: Prefix<InputRecord, ProcessedRecord>['finished']) => void
  #prefix: Prefix<InputRecord, ProcessedRecord> | null = null

  /** `count` is called with the records whose outputs turn out to be committed. */
  constructor(count: (finished: Prefix<InputRecord, ProcessedRecord>['finished']) => void) {
    this.#count = count
  }

  add(prefix: Prefix<InputRecord, ProcessedRecord>): void {
    this.#prefix = prefix
  }

  drop(): void {
    this.#prefix = null
  }

  claimed(committedOffset: bigint | null): void {
    const prefix = this.#prefix
    this.#prefix = null
    if (prefix !== null && committedOffset !== null && committedOffset >= prefix.nextOffset)
      this.#count(prefix.finished)
  }
}

/** Replaces the committed offset of a log that no longer exists, so that no later owner applies it to the new log. */
export async function overwriteCommitted(sink: OutputSink, begin: bigint): Promise<PublishOutcome> {
  return sink.committedOffset === null ? { kind: 'committed' } : sink.publish([], begin)
}
