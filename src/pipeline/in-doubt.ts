/**
 * A publish whose outcome nobody knows, and a committed offset that is one of another log: what the next claim finds says
 * what became of the one, and is overwritten for the other.
 */
import type { InputRecord, OutputSink, PublishOutcome } from '../ports.ts'
import type { Prefix } from './offset-tracker.ts'
import type { ProcessedRecord } from './outputs.ts'

export class InDoubt {
  readonly #count: (finished: Prefix<InputRecord, ProcessedRecord>['finished']) => void
  #prefix: Prefix<InputRecord, ProcessedRecord> | null = null

  /** `count` is told of records whose outputs turn out to be committed. */
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

/** The committed offset must not stand for the new log, whatever becomes of this process. */
export async function overwriteCommitted(sink: OutputSink, begin: bigint): Promise<PublishOutcome> {
  return sink.committedOffset === null ? { kind: 'committed' } : sink.publish([], begin)
}
