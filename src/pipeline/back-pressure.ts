/** Pauses a partition while its lane has enough in hand, so that memory is bounded and nothing is read that must wait. */
import type { PartitionFlow } from '../ports.ts'

/**
 * What a lane has in hand when its partition is paused, and the share of it at which it is resumed. Enough to last through
 * a fetch that is under way when it is resumed (50 ms, see `patch-fetch-request.ts`), and no more: it is memory for each partition.
 */
const PAUSE_AT = { records: 256, bytes: 2 * 1024 * 1024 } as const
const RESUME_AT = 0.75

export class BackPressure {
  readonly #flow: Pick<PartitionFlow, 'pause' | 'resume'>
  #paused = false

  constructor(flow: Pick<PartitionFlow, 'pause' | 'resume'>) {
    this.#flow = flow
  }

  /** To be told whenever it changes. */
  inHand(records: number, bytes: number): void {
    const fill = Math.max(records / PAUSE_AT.records, bytes / PAUSE_AT.bytes)
    if (!this.#paused && fill >= 1) {
      this.#paused = true
      this.#flow.pause()
    } else if (this.#paused && fill <= RESUME_AT) this.release()
  }

  release(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#flow.resume()
  }
}
