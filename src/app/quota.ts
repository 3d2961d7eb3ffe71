/**
 * The quota of this replica: the limiter, and how it reacts to assignments and heartbeats. The current share is logged,
 * shown on the status page and exported as a metric.
 */
import type { Assignment, Membership } from '../adapters/kafka/group/consumer.ts'
import type { Config } from '../config.ts'
import { partitionNames } from '../core/partitions/partition-names.ts'
import { shareOf } from '../core/quota/quota-shares.ts'
import { UNLIMITED } from '../core/quota/token-bucket.ts'
import { BackingOff } from '../pipeline/calls/backing-off.ts'
import { PartitionQuota } from '../pipeline/calls/partition-quota.ts'
import type { Clock, Log, Metrics, Moment, RateLimiter } from '../ports.ts'

/** A limiter that counts the calls of all replicas together, outside the process. */
export interface SharedLimiter extends RateLimiter {
  /** Calls per second of all replicas together. */
  readonly limit: number
  /** Rejects with a message for the operator while it cannot count. */
  ready(): Promise<void>
  stop(): void
}

export interface ServiceQuotaOptions {
  readonly config: Config
  /** Null if the replicas share the quota by partitions. */
  readonly sharedLimiter: SharedLimiter | null
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'quota' | 'quotaRate' | 'slotsWasted'>
}

export interface ServiceQuota {
  readonly limiter: RateLimiter
  /** Permits that are split over the partitions; null if they are not split. */
  readonly permits: number | null
  /** For the status page. */
  readonly share: string
  /** Rejects with a message for the operator while calls cannot be counted. */
  ready(): Promise<void>
  stop(): void
  /** The most calls per second that this replica may make; 0 if there is no limit or it is a hot standby. */
  readonly perSecond: number
  /** From now on the group may reassign partitions without notice, so calls must stop. */
  beforeRejoin(): void
  /** Must be called before the lanes get the assignment, because they start at once. */
  assigned(membership: Membership, assignment: Assignment): void
  heartbeat(sent: Moment): void
}

const WINDOW_MS = 1_000
const ALWAYS_READY = { ready: () => Promise.resolve(), stop: () => undefined }

export function createServiceQuota(options: ServiceQuotaOptions): ServiceQuota {
  const { qps } = options.config.checkresult
  if (qps === 'unlimited') {
    return unsharedQuota(options, { limiter: UNLIMITED, rate: () => Infinity })
  }
  const { sharedLimiter } = options
  if (sharedLimiter === null) return sharedByPartitions(options, qps)
  const limiter = new BackingOff(sharedLimiter)
  return {
    ...unsharedQuota(options, { limiter, rate: (nowMs) => limiter.rate(nowMs) }),
    get share() {
      return `up to ${sharedLimiter.limit} calls per second, shared by all replicas`
    },
    get perSecond() {
      return sharedLimiter.limit
    },
    ready: () => sharedLimiter.ready(),
    stop: () => sharedLimiter.stop(),
  }
}

/** Each replica may use the whole limit. */
function unsharedQuota(
  { config, log, metrics, clock }: ServiceQuotaOptions,
  { limiter, rate }: { limiter: RateLimiter; rate: (nowMs: number) => number },
): ServiceQuota {
  const { qps } = config.checkresult
  const perSecond = qps === 'unlimited' ? Infinity : qps
  metrics.quota(perSecond, perSecond)
  metrics.quotaRate(perSecond)
  return {
    limiter,
    permits: null,
    share: String(qps),
    perSecond: qps === 'unlimited' ? 0 : qps,
    ...ALWAYS_READY,
    beforeRejoin: () => undefined,
    assigned: (_, assignment) => logAssignment(log, assignment, null),
    heartbeat: () => metrics.quotaRate(rate(clock.monotonicMs())),
  }
}

function sharedByPartitions(options: ServiceQuotaOptions, permits: number): ServiceQuota {
  const { config, clock, log, metrics } = options
  const { burst, qpsGuardMs } = config.checkresult
  const limiter = new PartitionQuota({
    permits,
    windowMs: WINDOW_MS + qpsGuardMs,
    burst: burst ?? 1,
    leaseMs: leaseMs(config.consumer.sessionTimeoutMs),
    clock,
  })
  let text = 'none yet'
  let perSecond = 0
  metrics.quota(permits, 0)
  metrics.quotaRate(0)
  return {
    limiter,
    permits,
    ...ALWAYS_READY,
    get share() {
      return text
    },
    get perSecond() {
      return perSecond
    },
    beforeRejoin: () => limiter.stop(),
    assigned: ({ generation, sent, quotaPlan }, assignment) => {
      const limit = quotaPlan.permits ?? permits
      perSecond = shareOf(assignment[config.topics.input] ?? [], quotaPlan)
      limiter.assigned({ generation, share: perSecond, sent })
      metrics.quota(limit, perSecond)
      metrics.quotaRate(perSecond)
      text = `${perSecond} of ${limit} calls per second`
      logAssignment(log, assignment, text)
      if (limit < permits)
        log.warn(QPS_DIFFERS, { detail: `In use: ${limit}. Set on this replica: ${permits}.` })
    },
    heartbeat: (sent) => {
      limiter.heartbeat(sent)
      metrics.quotaRate(limiter.rate(clock.monotonicMs()))
    },
  }
}

/**
 * How long a replica is certainly still in the group after it sent its last accepted heartbeat. The margin below the
 * session timeout covers the time to write a call and the difference between two machines' clocks.
 */
function leaseMs(sessionTimeoutMs: number): number {
  return sessionTimeoutMs - Math.max(500, sessionTimeoutMs / 10)
}

const QPS_DIFFERS =
  'CHECKRESULT_QPS differs between replicas, so all of them use the smallest value. Set the same value on every replica.'

/** Writes one line at each rebalance with the partitions and the share of the quota. */
function logAssignment(log: Log, assignment: Assignment, share: string | null): void {
  const owned = Object.entries(assignment).flatMap(([topic, partitions]) =>
    partitions.map((partition) => ({ topic, partition })),
  )
  const detail = share === null ? {} : { detail: `${share}.` }
  if (owned.length === 0) log.info(HOT_STANDBY, detail)
  else log.info('Partitions assigned.', { partitions: partitionNames(owned), ...detail })
}

const HOT_STANDBY =
  'No partitions assigned because there are more replicas than partitions, permits or shards (16). This replica is a hot standby and takes over when another one leaves.'
