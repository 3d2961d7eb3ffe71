/**
 * One budget for the fetched but uncommitted records of all lanes, so that memory does not grow with the number of
 * partitions. A lane may always hold a few records. Beyond that, it may hold as much as is still free, so its share
 * shrinks as the budget fills: it is paused when it reaches its share and resumed well below it. One busy lane gets as
 * much as it can use; with 64 busy lanes, each gets a 65th. Never throws.
 */
import type { PartitionFlow } from '../../ports.ts'

export interface Amount {
  readonly records: number
  readonly bytes: number
}

/** For all lanes. Fetches in progress may exceed it by their responses, which are bounded too. */
const TOTAL: Amount = { records: 2_304, bytes: 16 * 1024 * 1024 }
/** A lane may hold this much even if the budget is full, so that every partition makes progress. */
const MIN_PER_LANE: Amount = { records: 8, bytes: 64 * 1024 }
/** Enough until the next fetch arrives after the partition is resumed. More would only cost memory. */
const MAX_PER_LANE: Amount = { records: 256, bytes: 2 * 1024 * 1024 }
/**
 * A paused lane is resumed below this fraction of its share, so that it does not pause and resume with every record.
 */
const RESUME_AT = 0.75

export class RecordBudget {
  readonly #total: Amount
  readonly #paused = new Set<LaneShare>()
  #records = 0
  #bytes = 0

  constructor(total: Amount = TOTAL) {
    this.#total = total
  }

  /** How much a lane may hold now. */
  get limit(): Amount {
    return {
      records: clamp(this.#total.records - this.#records, MIN_PER_LANE.records, MAX_PER_LANE.records),
      bytes: clamp(this.#total.bytes - this.#bytes, MIN_PER_LANE.bytes, MAX_PER_LANE.bytes),
    }
  }

  share(flow: Pick<PartitionFlow, 'pause' | 'resume'>): LaneShare {
    return new LaneShare(flow, {
      changed: (records, bytes) => {
        this.#records += records
        this.#bytes += bytes
        return this.limit
      },
      paused: (share) => void this.#paused.add(share),
      resumed: (share) => void this.#paused.delete(share),
      freed: () => {
        for (const share of this.#paused) share.adjust(this.limit)
      },
    })
  }
}

interface BudgetCallbacks {
  /** Changes the total of all lanes. Returns what a lane may hold now. */
  readonly changed: (records: number, bytes: number) => Amount
  readonly paused: (share: LaneShare) => void
  readonly resumed: (share: LaneShare) => void
  /** Records were released, so other lanes may be resumed. */
  readonly freed: () => void
}

/** One lane's part of the budget. */
export class LaneShare {
  readonly #flow: Pick<PartitionFlow, 'pause' | 'resume'>
  readonly #callbacks: BudgetCallbacks
  #records = 0
  #bytes = 0
  #paused = false

  constructor(flow: Pick<PartitionFlow, 'pause' | 'resume'>, callbacks: BudgetCallbacks) {
    this.#flow = flow
    this.#callbacks = callbacks
  }

  /** Must be called whenever the lane's buffered records change. */
  update({ records, bytes }: Amount): void {
    const isLess = records < this.#records || bytes < this.#bytes
    const limit = this.#callbacks.changed(records - this.#records, bytes - this.#bytes)
    this.#records = records
    this.#bytes = bytes
    this.adjust(limit)
    if (isLess) this.#callbacks.freed()
  }

  /** The lane was closed and releases its records. */
  release(): void {
    this.update({ records: 0, bytes: 0 })
    if (this.#paused) this.#resume()
  }

  adjust(limit: Amount): void {
    const fill = Math.max(this.#records / limit.records, this.#bytes / limit.bytes)
    if (!this.#paused && fill >= 1) this.#pause()
    else if (this.#paused && fill <= RESUME_AT) this.#resume()
  }

  #pause(): void {
    this.#paused = true
    this.#callbacks.paused(this)
    this.#flow.pause()
  }

  #resume(): void {
    this.#paused = false
    this.#callbacks.resumed(this)
    this.#flow.resume()
  }
}

function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(max, value))
}
