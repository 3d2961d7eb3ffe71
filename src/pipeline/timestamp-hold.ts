/**
 * Pauses calls while the brokers refuse the timestamps of our outputs: the clock of this machine is wrong, so further calls
 * would only bring results that cannot be written. Names the offset from the API's clock, if an answer has told it.
 */
import type { ApiClock } from '../core/api-clock.ts'
import type { TimestampWatch } from '../ports.ts'
import type { PermitQueue } from './permit-queue.ts'

const HOLD = 'clock'
const REFUSED = 'The brokers refuse the timestamps of the outputs (INVALID_TIMESTAMP).'

export class TimestampHold implements TimestampWatch {
  readonly #permits: Pick<PermitQueue, 'hold' | 'resume'>
  readonly #apiClock: Pick<ApiClock, 'description'>
  readonly #refused = new Set<string>()

  constructor(permits: Pick<PermitQueue, 'hold' | 'resume'>, apiClock: Pick<ApiClock, 'description'>) {
    this.#permits = permits
    this.#apiClock = apiClock
  }

  refused(partition: string): void {
    this.#refused.add(partition)
    this.#permits.hold(HOLD, `${REFUSED} ${this.#apiClock.description}`)
  }

  accepted(partition: string): void {
    if (this.#refused.delete(partition) && this.#refused.size === 0) this.#permits.resume(HOLD)
  }
}
