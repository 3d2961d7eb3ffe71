/**
 * How a lane recovers when its outputs cannot be written. After a failed transaction each of its lanes commits alone, so
 * that one that cannot be written does not hold up the others. The first retry is immediate, because most first failures
 * are over by then. From the second failure on the partition counts as blocked and waits, and the other lanes of the shard
 * go on.
 */
import type { Clock, Failure } from '../../ports.ts'
import type { BlockedPartitions } from './blocked-partitions.ts'
import { RetryTimer } from './retry-timer.ts'

export interface PublishRetryOptions {
  readonly topic: string
  readonly partition: number
  readonly blocked: Pick<BlockedPartitions, 'block' | 'clear' | 'forget'>
  readonly clock: Pick<Clock, 'after'>
}

export class PublishRetry {
  readonly #options: PublishRetryOptions
  readonly #timer: RetryTimer
  /** Set until a commit succeeds: a successful claim does not prove that the partition can continue. */
  #hasFailed = false
  #isEnded = false

  constructor(options: PublishRetryOptions) {
    this.#options = options
    this.#timer = new RetryTimer(options.clock)
  }

  /** The last transaction failed, so the lane must be committed alone. */
  get isSuspect(): boolean {
    return this.#hasFailed
  }

  /** Nothing is committed before the delay is over. */
  get isWaiting(): boolean {
    return this.#timer.isWaiting
  }

  /** A transaction with outputs of this lane has failed. Waits if the lane was `alone` in it and had failed before. */
  failed(failure: Failure, offset: bigint, { alone, retry }: { alone: boolean; retry: () => void }): void {
    const isRepeated = this.#hasFailed
    this.#hasFailed = true
    if (isRepeated && alone) this.#wait(failure, offset, retry)
  }

  /** There is no smaller output to write, so the rejected one is retried like after any other failure. */
  refused(failure: Failure, offset: bigint, retry: () => void): void {
    this.#hasFailed = true
    this.#wait(failure, offset, retry)
  }

  /** If there is nothing to publish, the successful claim ends the failure. */
  claimed({ isEmpty }: { readonly isEmpty: boolean }): void {
    if (isEmpty || !this.#hasFailed) this.committed()
  }

  committed(): void {
    this.#timer.reset()
    this.#hasFailed = false
    this.#options.blocked.clear(this.#options.topic, this.#options.partition)
  }

  /** The lane is closed. */
  end(): void {
    this.#isEnded = true
    this.#timer.reset()
    this.#options.blocked.forget(this.#options.topic, this.#options.partition)
  }

  /** `offset` is the oldest offset without a committed output. */
  #wait(failure: Failure, offset: bigint, retry: () => void): void {
    // The partition was removed during the transaction.
    if (this.#isEnded) return
    const { topic, partition, blocked } = this.#options
    blocked.block({ topic, partition, offset, failure })
    this.#timer.start(failure, retry)
  }
}
