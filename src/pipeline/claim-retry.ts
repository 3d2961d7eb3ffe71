/**
 * How a lane recovers from a failure: it claims its partition again, at once or with a delay, and reports it. The
 * partition counts as blocked from the second consecutive failure on, because most first failures are over before the
 * next claim succeeds.
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
  /** Set until a commit succeeds: a successful claim does not prove that the partition can continue. */
  #publishFailed = false
  #cancel: (() => void) | null = null

  constructor(options: ClaimRetryOptions) {
    this.#options = options
  }

  /** Claims at once after a first failure, otherwise like {@link later}. */
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

  /** Only the group can tell which member owns the partition, so the lane waits for it. */
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

  /** `offset` is the oldest offset without a committed output. */
  later(failure: Failure, offset: bigint, claim: () => void): void {
    const { topic, partition, blocked, clock } = this.#options
    blocked.block({ topic, partition, offset, failure })
    this.#cancel = clock.after(this.#delay.next(failure), claim)
  }

  /** There is no smaller output to write, so the rejected one is retried like after any other failure. */
  afterRefusal(failure: Failure, offset: bigint, claim: () => void): void {
    this.#publishFailed = true
    this.later(failure, offset, claim)
  }

  /** If there is nothing to publish, the successful claim ends the failure. */
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
