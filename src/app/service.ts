/**
 * Owns what outlives a session (registry, quota, permits, credentials, HTTP client, health) and runs sessions in a loop:
 * open, run until it ends, close, back off, open again. Does not read the environment or handle the process's signals.
 */
import { createCheckResultClient, type CheckResultClient } from '../adapters/alibaba/client.ts'
import type { CredentialProvider } from '../adapters/alibaba/credential-provider.ts'
import { createCredentialProvider } from '../adapters/alibaba/credentials.ts'
import { createKafkaClient, type KafkaClient } from '../adapters/kafka/client.ts'
import { GroupInstance } from '../adapters/kafka/group/group-instance.ts'
import { createEventDecoder, type EventDecoder } from '../adapters/registry/decode-event.ts'
import { createRegistry, type Registry } from '../adapters/registry/registry.ts'
import { resultSchemaId } from '../adapters/registry/result-schema.ts'
import type { Config } from '../config.ts'
import { readTextFile } from '../config/environment.ts'
import { ApiClock } from '../core/calls/api-clock.ts'
import { OperatorError, safeError, UNEXPECTED_ERROR, type SafeError } from '../core/safe-error.ts'
import { BlockedPartitions } from '../pipeline/delivery/blocked-partitions.ts'
import { DeadLetterLimit } from '../pipeline/dead-letters/dead-letter-limit.ts'
import { DeadLetterNotices } from '../pipeline/dead-letters/dead-letter-notices.ts'
import { PermitQueue } from '../pipeline/calls/permit-queue.ts'
import type { Clock, Log, Metrics } from '../ports.ts'
import { KnownTopics } from './known-topics.ts'
import { ServiceHealth } from './health.ts'
import { kafkaSettings, registrySettings, topicNames } from './settings.ts'
import { createServiceQuota, type ServiceQuota, type SharedLimiter } from './quota.ts'
import { Session } from './session.ts'
import { Stopping } from './stopping.ts'

export interface ServiceOptions {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** For `CHECKRESULT_QUOTA=redis`; null if the replicas share the quota by partitions. */
  readonly sharedLimiter: SharedLimiter | null
  /** Name and version, for dead letters. */
  readonly service: string
  /** The service cannot continue. The process should exit with this message. */
  readonly onFatal: (message: string, error?: SafeError) => void
}

export interface Service {
  readonly health: ServiceHealth
  /**
   * Must be called once. Until the service has joined the group it retries; what is missing is in `health` and in the
   * log.
   */
  start(): void
  /** Starts no further records, commits those in progress and leaves the group. */
  stop(): Promise<void>
}

const RETRY_MS = { first: 1_000, max: 3_000 } as const

/** Has no effect on Kafka or the API before {@link Service.start}. */
export function createService(options: ServiceOptions): Service {
  const parts = createParts(options)
  let running: Promise<void> = Promise.resolve()
  return {
    health: parts.health,
    start: () => {
      running = run(options, parts)
    },
    stop: async () => {
      parts.health.stopping()
      parts.stopping.stop()
      await running
      parts.deadLetterNotices.close()
      parts.quota.stop()
    },
  }
}

interface Parts {
  readonly kafka: KafkaClient
  readonly groupInstance: GroupInstance | null
  readonly topics: KnownTopics
  readonly registry: Registry
  readonly decoder: EventDecoder
  readonly quota: ServiceQuota
  readonly permits: PermitQueue
  readonly apiClock: ApiClock
  readonly deadLetterLimit: DeadLetterLimit
  readonly deadLetterNotices: DeadLetterNotices
  readonly blocked: BlockedPartitions
  readonly health: ServiceHealth
  readonly stopping: Stopping
}

function createParts(options: ServiceOptions): Parts {
  const { config, clock, log, metrics } = options
  const { qps, maxInFlight } = config.checkresult
  const quota = createServiceQuota(options)
  const apiClock = new ApiClock()
  const permits = new PermitQueue({ limiter: quota.limiter, maxInFlight, clock, metrics, log, apiClock })
  const registry = createRegistry(registrySettings(config, log), metrics)
  const decoder = createEventDecoder({ registry, clock, log, metrics })
  const blocked = createBlockedPartitions(options, permits, apiClock)
  return {
    kafka: createKafkaClient(kafkaSettings(config), log),
    groupInstance: groupInstanceOf(config),
    topics: new KnownTopics(topicNames(config), log),
    registry,
    decoder,
    quota,
    permits,
    apiClock,
    deadLetterLimit: new DeadLetterLimit({ ...config.deadLetterLimit, permits, clock }),
    deadLetterNotices: new DeadLetterNotices({ log, clock }),
    blocked,
    health: new ServiceHealth({
      clock,
      permits,
      blocked,
      registryWaiting: () => decoder.waiting,
      share: () => quota.share,
      facts: { service: options.service, 'calls per second': qps },
    }),
    stopping: new Stopping(clock),
  }
}

function groupInstanceOf({ consumer: { groupInstanceId } }: Config): GroupInstance | null {
  return groupInstanceId === null ? null : new GroupInstance(groupInstanceId)
}

/** Calls are pointless while the clock is wrong, because the brokers reject every output. */
function createBlockedPartitions(
  options: ServiceOptions,
  permits: PermitQueue,
  apiClock: ApiClock,
): BlockedPartitions {
  return new BlockedPartitions({
    ...options,
    onCause: (code, isPresent) => {
      if (code !== 'INVALID_TIMESTAMP') return
      if (isPresent)
        permits.pause('clock', `The brokers reject the timestamps of this service. ${apiClock.description}`)
      else permits.resume('clock')
    },
  })
}

/** The supervisor loop. Resolves when the service was stopped and everything is closed. */
async function run(options: ServiceOptions, parts: Parts): Promise<void> {
  const { health, stopping } = parts
  const api = await retried(options, parts, () => Promise.resolve(createApi(options, parts)))
  if (api === null) return
  while (!stopping.isStopped) {
    const session = await retried(options, parts, () => openSession(options, parts, api.client))
    if (session === null) break
    health.running(session)
    options.log.info('The service has joined the group and is running.')
    const cause = await Promise.race([session.ended, stopping.requested])
    if (cause === undefined) {
      await drain(parts, session)
      break
    }
    options.log.error(`The Kafka consumer has stopped. The service restarts it. Cause: ${cause}`)
    health.starting(cause)
    await stopping.pause(RETRY_MS.first)
  }
  await api.client.close()
  api.credentials.close()
}

/** Records that wait for a permit or for the registry are given up, so that the drain need not wait for them. */
async function drain({ permits, decoder }: Parts, session: Session): Promise<void> {
  permits.pause('stopping')
  decoder.stop()
  await session.drain()
  await session.close()
}

/** Retries until it succeeds, and logs each new error once. Null if the service was stopped before. */
async function retried<T>(
  { log }: ServiceOptions,
  { health, stopping }: Parts,
  attempt: () => Promise<T>,
): Promise<T | null> {
  let obstacle = ''
  for (
    let delayMs: number = RETRY_MS.first;
    !stopping.isStopped;
    delayMs = Math.min(delayMs * 2, RETRY_MS.max)
  ) {
    try {
      return await attempt()
    } catch (error) {
      const { detail, ...fields } = safeError(error)
      const message =
        detail ?? `Unexpected error (${fields.errorType}) while starting. Report it with its stack.`
      health.starting(message)
      if (message !== obstacle)
        log.error(`Not ready, retrying: ${message}`, detail === undefined ? fields : {})
      obstacle = message
      const wantedMs = error instanceof OperatorError ? (error.retryAfterMs ?? 0) : 0
      await stopping.pause(Math.max(delayMs, wantedMs))
    }
  }
  return null
}

/** Rejects with a message for the operator. */
async function openSession(
  options: ServiceOptions,
  parts: Parts,
  client: CheckResultClient,
): Promise<Session> {
  const { config, onFatal } = options
  await parts.quota.ready()
  await parts.topics.inspect(parts.kafka)
  const schemaId = await resultSchemaId(parts.registry, config.registry, parts.topics.names.result)
  const session = new Session({
    ...options,
    ...parts,
    schemaId,
    client,
    onActivity: () => parts.health.reportActivity(),
    onFatal,
    onDefect: (error) => onFatal(UNEXPECTED_ERROR, safeError(error)),
  })
  await session.join()
  return session
}

interface Api {
  readonly client: CheckResultClient
  readonly credentials: CredentialProvider
}

/** From now on, credentials are renewed in the background. Throws if their files cannot be read. */
function createApi(options: ServiceOptions, { apiClock }: Parts): Api {
  const { checkresult, credentials: config } = options.config
  const credentials = createCredentialProvider({ ...options, config, readText: readTextFile })
  return { client: createCheckResultClient({ ...checkresult, credentials, apiClock }), credentials }
}
