/**
 * This replica's share of the quota, by the partitions the group gave it. At most N calls in any second over all
 * replicas, through every change of the group:
 *
 *   1. Nothing is written from the moment the replica asks to join anew, or leaves, until it has its new assignment.
 *   2. A share that grew counts one window later; a smaller one at once, past calls included.
 *   3. Nothing is written when the last heartbeat the group accepted was sent longer ago than the lease: the session
 *      time-out less a margin.
 *
 * Why that is enough. Between two generations of the group lies a moment, the barrier, when the coordinator has heard
 * from every member of the old one, or has given it up. At the barrier nobody writes: who asked to join stopped before it
 * asked (1), who left stopped before it left (1), and who was given up had been silent for a session, so its lease was over
 * (3); given up for joining too late it had no heartbeat accepted for as long, for those are refused meanwhile, and the
 * rebalance time-out is no shorter than the session's.
 *
 * Take any window of a second. Without a barrier in it, the shares of one generation hold, which sum to N. With one in it:
 * after the barrier and within the window everybody is held to the smaller of the share of before and the new one (2), past
 * calls included; who is new is held to none. So each has no more calls in the window than its share of before it, and
 * those sum to N. With several, the same holds for the share of before the first, as the least of all shares of the last
 * window counts. A replica that has missed a generation in between does not know its share of before: it counts as none.
 *
 * A replica that starts anew in place of another is new to the group: the calls of the other's last second are over by
 * the time its share counts.
 */
import { TokenBucket, type TokenBucketOptions } from '../core/token-bucket.ts'
import type { Clock, Moment, RateLimiter } from '../ports.ts'

export interface PartitionQuotaOptions extends TokenBucketOptions {
  readonly leaseMs: number
  readonly clock: Clock
}

/** What the group has decided for this replica. */
export interface QuotaAssignment {
  readonly generation: number
  /** Permits; null when the group's leader does not say of what. */
  readonly share: number | null
  /** When the request was sent by whose answer this is known. */
  readonly sent: Moment
}

export class PartitionQuota implements RateLimiter {
  readonly #options: PartitionQuotaOptions
  readonly #bucket: TokenBucket
  #generation: number | null = null
  /** Null: no call may be made, whatever the bucket says. */
  #share: number | null = null
  #stoppedMs = -Infinity
  #confirmed: Moment = { monotonicMs: -Infinity, epochMs: -Infinity }
  #unavailable: string | null = null
  #listener: () => void = () => undefined

  constructor(options: PartitionQuotaOptions) {
    this.#options = options
    this.#bucket = new TokenBucket(options)
    this.#bucket.resize(0, -Infinity)
  }

  get unavailable(): string | null {
    return this.#unavailable
  }

  onAvailable(listener: () => void): void {
    this.#listener = listener
    this.#bucket.onAvailable(listener)
  }

  /** The group may decide without asking this replica again: it is about to join anew, or to leave. */
  stop(): void {
    this.#share = null
    this.#stoppedMs = this.#options.clock.monotonicMs()
    this.#unavailable = null
  }

  assigned({ generation, share, sent }: QuotaAssignment): void {
    const nowMs = this.#options.clock.monotonicMs()
    if (this.#generation === null || generation !== this.#generation + 1) this.#bucket.resize(0, nowMs)
    this.#bucket.resize(share ?? 0, nowMs)
    this.#generation = generation
    this.#share = share
    this.#confirmed = sent
    this.#unavailable = share === null ? LEADER_IS_SILENT : null
    this.#listener()
  }

  /** The group has accepted a heartbeat that was sent then. */
  heartbeat(sent: Moment): void {
    this.#confirmed = sent
    if (this.#unavailable === null || this.#share === null) return
    this.#unavailable = null
    this.#listener()
  }

  take(nowMs: number): number {
    if (this.#share === null) return Infinity
    if (this.#isLeaseOver(nowMs)) {
      this.#unavailable = LEASE_IS_OVER
      return Infinity
    }
    return this.#bucket.take(nowMs)
  }

  confirm(takenMs: number, nowMs: number): boolean {
    if (this.#share === null || takenMs <= this.#stoppedMs || this.#isLeaseOver(nowMs)) {
      this.#bucket.dropped()
      return false
    }
    return this.#bucket.confirm(takenMs, nowMs)
  }

  throttled(nowMs: number, retryAfterMs: number | null): void {
    this.#bucket.throttled(nowMs, retryAfterMs)
  }

  /** Calls per second it lets through now, the share less what throttling has cost. */
  rate(nowMs: number): number {
    return this.#share === null ? 0 : this.#bucket.rate(nowMs)
  }

  /** By the wall clock too: the monotonic one stands still while a machine is suspended. */
  #isLeaseOver(nowMs: number): boolean {
    const { leaseMs, clock } = this.#options
    const { monotonicMs, epochMs } = this.#confirmed
    return nowMs - monotonicMs >= leaseMs || clock.epochMs() - epochMs >= leaseMs
  }
}

const LEASE_IS_OVER =
  'The Kafka group has not accepted a heartbeat of this replica for nearly KAFKA_SESSION_TIMEOUT, so its quota share may have changed. Check the connection to the brokers.'
const LEADER_IS_SILENT =
  'The group leader does not publish how the quota is split because it runs an earlier version. Update all replicas.'
