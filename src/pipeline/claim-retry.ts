/**
 * What a lane does after a failure: claims again, at once or later, and says so. The partition counts as blocked from the
 * second failure in a row on, for most first ones are over before the next claim is through.
 */
import type { Clock, Failure, Log } from '../ports.ts'
import type { BlockedPartitions } from './blocked-partitions.ts'
import { RetryDelay } from './retry-delay.ts'

export interface ClaimRetryOptions {
  readonly topic: string
  readonly partition: number
  readonly blocked: Pick<BlockedPartitions, 'block' | 'clear' | 'forget'>
  readonly clock: Pick<Clock, 'after'>
  readonly log: Pick<Log, 'warn'>
}

export class ClaimRetry {
  readonly #options: ClaimRetryOptions
  readonly #delay = new RetryDelay()
  /** A claim that goes through does not yet mean that the partition moves. */
  #publishFailed = false
  #cancel: (() => void) | null = null

  constructor(options: ClaimRetryOptions) {
    this.#options = options
  }

  /** Claims at once after a first failure, else like {@link later}. */
  afterPublish(failure: Failure, offset: bigint, claim: () => void): void {
    if (this.#publishFailed) return this.later(failure, offset, claim)
    this.#publishFailed = true
    const { topic, partition, log } = this.#options
    const { code, message: detail } = failure
    log.warn('Outputs could not be written. The service claims the partition again and retries.', {
      topic,
      partition,
      code,
      detail,
    })
    claim()
  }

  /** Whose the partition is, only the group can say. */
  fenced(): void {
    const { topic, partition, log } = this.#options
    log.warn(
      'Another group member has claimed a partition. This replica stops processing it until a heartbeat confirms the assignment.',
      {
        topic,
        partition,
      },
    )
  }

  /** `offset` is the oldest one without a committed output. */
  later(failure: Failure, offset: bigint, claim: () => void): void {
    const { topic, partition, blocked, clock } = this.#options
    blocked.block({ topic, partition, offset, failure })
    this.#cancel = clock.after(this.#delay.next(failure), claim)
  }

  /** A smaller output is not available: what the brokers refuse is tried again, as after any other failure. */
  afterRefusal(failure: Failure, offset: bigint, claim: () => void): void {
    this.#publishFailed = true
    this.later(failure, offset, claim)
  }

  /** Nothing is left to publish of what has failed: the claim is all there was to wait for. */
  claimed({ isEmpty }: { readonly isEmpty: boolean }): void {
    if (isEmpty || !this.#publishFailed) this.committed()
  }

  committed(): void {
    this.#publishFailed = false
    this.#delay.reset()
    this.#options.blocked.clear(this.#options.topic, this.#options.partition)
  }

  /** The lane is closed. */
  end(): void {
    this.#cancel?.()
    this.#options.blocked.forget(this.#options.topic, this.#options.partition)
  }
}
