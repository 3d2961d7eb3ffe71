/**
 * This replica's share of the quota, according to its assigned partitions. Guarantees at most N calls in any second
 * over all replicas, through every rebalance, with three rules:
 *
 * 1. No call is written from the moment the replica is about to rejoin or leave the group until it has its new
 *   assignment.
 * 2. A larger share takes effect one window later. A smaller one takes effect at once and includes past calls.
 * 3. No call is written if the last heartbeat that the group accepted was sent longer ago than the lease, which is the
 *   session timeout minus a margin.
 *
 * Why this is enough. Between two generations of the group there is a moment, the barrier, when the coordinator has
 * heard from every member of the old generation or has removed it. At the barrier nobody writes calls. A member that
 * rejoined or left had stopped before (1). A member that was removed for silence had been silent for a session timeout,
 * so its lease was over (3). A member that was removed for rejoining too late had no heartbeat accepted for as long,
 * because heartbeats are rejected during a rebalance and the rebalance timeout is at least the session timeout.
 *
 * Consider any window of one second. Without a barrier in it, the shares of one generation apply, and they add up to N.
 * With one barrier in it, every member after the barrier is limited to the smaller of its old and new share (2),
 * including past calls, and a new member to zero. So no member makes more calls in the window than its old share, and
 * the old shares add up to N. With several barriers, the same holds for the share before the first one, because the
 * smallest share of the last window applies. A replica that missed a generation does not know its old share, so it
 * counts as zero.
 *
 * A replica that is started in place of another is new to the group. The other's calls are more than a second old when
 * its share takes effect. This also holds for a static member that is killed and restarted: it gets its share without a
 * barrier, but its former process is dead by then. If two live processes have the same instance id, the first one may
 * use the share, too, until its next heartbeat is rejected.
 */
import { TokenBucket, type TokenBucketOptions } from '../../core/quota/token-bucket.ts'
import type { Clock, Moment, RateLimiter } from '../../ports.ts'

export interface PartitionQuotaOptions extends TokenBucketOptions {
  readonly leaseMs: number
  readonly clock: Clock
}

/** The group's decision for this replica. */
export interface QuotaAssignment {
  readonly generation: number
  /** This replica's permits. */
  readonly share: number
  /** When the request was sent whose answer contained this decision. */
  readonly sent: Moment
}

export class PartitionQuota implements RateLimiter {
  readonly #options: PartitionQuotaOptions
  readonly #bucket: TokenBucket
  #generation: number | null = null
  /** Null: no calls are allowed, whatever the bucket says. */
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

  /** The replica is about to rejoin or leave, so the group may reassign its partitions without notice. */
  stop(): void {
    this.#share = null
    this.#stoppedMs = this.#options.clock.monotonicMs()
    this.#unavailable = null
  }

  assigned({ generation, share, sent }: QuotaAssignment): void {
    const nowMs = this.#options.clock.monotonicMs()
    if (this.#generation === null || generation !== this.#generation + 1) this.#bucket.resize(0, nowMs)
    this.#bucket.resize(share, nowMs)
    this.#generation = generation
    this.#share = share
    this.#confirmed = sent
    this.#unavailable = null
    this.#listener()
  }

  /** The group has accepted a heartbeat that was sent at this moment. */
  heartbeat(sent: Moment): void {
    this.#confirmed = sent
    if (this.#unavailable === null || this.#share === null) return
    this.#unavailable = null
    this.#listener()
  }

  take(nowMs: number): number {
    if (this.#share === null) return Infinity
    if (this.#isLeaseExpired(nowMs)) {
      this.#unavailable = LEASE_EXPIRED
      return Infinity
    }
    return this.#bucket.take(nowMs)
  }

  confirm(takenMs: number, nowMs: number): boolean {
    if (this.#share === null || takenMs <= this.#stoppedMs || this.#isLeaseExpired(nowMs)) {
      this.#bucket.dropped()
      return false
    }
    return this.#bucket.confirm(takenMs, nowMs)
  }

  throttled(nowMs: number, retryAfterMs: number | null): void {
    this.#bucket.throttled(nowMs, retryAfterMs)
  }

  /** Calls per second that are allowed now: the share, reduced after throttling. */
  rate(nowMs: number): number {
    return this.#share === null ? 0 : this.#bucket.rate(nowMs)
  }

  /** Also checks the wall clock, because the monotonic clock stops while a machine is suspended. */
  #isLeaseExpired(nowMs: number): boolean {
    const { leaseMs, clock } = this.#options
    const { monotonicMs, epochMs } = this.#confirmed
    return nowMs - monotonicMs >= leaseMs || clock.epochMs() - epochMs >= leaseMs
  }
}

const LEASE_EXPIRED =
  'The Kafka group has not accepted a heartbeat of this replica for nearly KAFKA_SESSION_TIMEOUT, so its quota share may have changed. Check the connection to the brokers.'
