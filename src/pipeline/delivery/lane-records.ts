/**
 * The records of a lane from their arrival to their commit: which offsets were taken, which records are buffered, and
 * what they use of the budget. Never throws.
 */
import type { InputRecord, PartitionFlow } from '../../ports.ts'
import { bufferedRecord, sizeBytes, type BufferedRecord, type RecordDelay } from './buffered-record.ts'
import { OffsetTracker, type Prefix, type Tracked } from './offset-tracker.ts'
import type { ProcessedRecord } from '../record/outputs.ts'
import type { LaneShare, RecordBudget } from './record-budget.ts'
import { TakenOffsets } from './taken-offsets.ts'

export type LanePrefix = Prefix<BufferedRecord, ProcessedRecord>
export type LaneEntry = Tracked<BufferedRecord, ProcessedRecord>

export interface LaneRecordsOptions extends RecordDelay {
  readonly budget: RecordBudget
  readonly flow: PartitionFlow
}

export class LaneRecords {
  readonly tracker = new OffsetTracker<BufferedRecord, ProcessedRecord>(sizeBytes)
  readonly #options: LaneRecordsOptions
  readonly #taken = new TakenOffsets()
  readonly #share: LaneShare

  constructor(options: LaneRecordsOptions) {
    this.#options = options
    this.#share = options.budget.share(options.flow)
  }

  /** The oldest offset without a committed output, as far as known. */
  get nextOffset(): bigint {
    return this.tracker.oldest?.offset ?? this.#taken.next
  }

  /** Returns how many records came before and are dropped. */
  add(records: readonly InputRecord[]): number {
    let repeated = 0
    for (const record of records) {
      if (this.#taken.take(record.offset))
        this.tracker.add(record.offset, bufferedRecord(record, this.#options))
      else repeated += 1
    }
    return repeated
  }

  /** Everything below `offset` is committed. Returns the buffered records of which this is news. */
  skipTo(offset: bigint): readonly LaneEntry[] {
    this.#taken.skipTo(offset)
    return this.tracker.removeBelow(offset)
  }

  /** Drops all buffered records, because they are read again from `offset`; null is the beginning. */
  restartAt(offset: bigint | null): void {
    this.tracker.clear()
    this.#taken.restartAt(offset)
  }

  /** Reads again from `offset`. */
  seek(offset: bigint | null): void {
    this.restartAt(offset)
    this.#options.flow.seek(offset)
  }

  /** The committed offset if records between it and the first received one were skipped; otherwise null. Checked once. */
  gapFrom(committedOffset: bigint | null): bigint | null {
    return this.#taken.gapFrom(committedOffset)
  }

  /** Must be called whenever the buffered records have changed: pauses and resumes fetching. */
  updateShare(): void {
    this.#share.update({ records: this.tracker.size, bytes: this.tracker.bytes })
  }

  release(): void {
    this.#share.release()
  }
}
