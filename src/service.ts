/**
 * Creates all parts and runs them: check topics and schemas, join the group, process records until stopped. Does not
 * read the environment or handle the process's signals.
 */
import { createCheckResultClient, type CheckResultClient } from './adapters/alibaba/client.ts'
import type { CredentialProvider } from './adapters/alibaba/credential-provider.ts'
import { createCredentialProvider } from './adapters/alibaba/credentials.ts'
import { createKafkaClient, type KafkaClient } from './adapters/kafka/client.ts'
import type { GroupConsumer } from './adapters/kafka/consumer.ts'
import { GroupInstance } from './adapters/kafka/group-instance.ts'
import { createDelivery, type KafkaDelivery } from './adapters/kafka/delivery.ts'
import { createEventDecoder, type EventDecoder } from './adapters/registry/decode-event.ts'
import { createRegistry, type Registry } from './adapters/registry/registry.ts'
import { resultSchemaId } from './adapters/registry/result-schema.ts'
import type { Config } from './config.ts'
import { readTextFile } from './config/environment.ts'
import { ApiClock } from './core/api-clock.ts'
import { OperatorError, safeError, UNEXPECTED_ERROR, type SafeError } from './core/safe-error.ts'
import { BlockedPartitions } from './pipeline/blocked-partitions.ts'
import { DeadLetterLimit } from './pipeline/dead-letter-limit.ts'
import { DeadLetterNotices } from './pipeline/dead-letter-notices.ts'
import type { Shards } from './pipeline/shards.ts'
import { PermitQueue } from './pipeline/permit-queue.ts'
import type { Clock, Log, Metrics } from './ports.ts'
import { KnownTopics } from './known-topics.ts'
import { createServiceConsumer } from './service-consumer.ts'
import { ServiceHealth } from './service-health.ts'
import { createShards } from './service-shards.ts'
import { kafkaSettings, registrySettings, topicNames } from './service-settings.ts'
import { createServiceQuota, type ServiceQuota, type SharedLimiter } from './service-quota.ts'

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

const START_RETRY_MS = { first: 1_000, max: 3_000 } as const

/** Has no effect on Kafka or the API before {@link Service.start}. */
export function createService(options: ServiceOptions): Service {
  const parts = createParts(options)
  return {
    health: parts.health,
    start: () => {
      parts.running.starting = startWhenReady(options, parts)
    },
    stop: async () => {
      parts.health.stopping()
      await parts.running.starting
      await parts.stop()
    },
  }
}

interface Parts {
  readonly kafka: KafkaClient
  readonly groupInstance: GroupInstance | null
  readonly registry: Registry
  readonly quota: ServiceQuota
  readonly permits: PermitQueue
  readonly apiClock: ApiClock
  readonly deadLetterLimit: DeadLetterLimit
  readonly deadLetterNotices: DeadLetterNotices
  readonly blocked: BlockedPartitions
  readonly health: ServiceHealth
  /** Filled during the start. The parts are stopped in reverse order. */
  readonly running: {
    starting?: Promise<void>
    consumer?: GroupConsumer
    shards?: Shards
    client?: CheckResultClient
    credentials?: CredentialProvider
  }
  readonly decoder: EventDecoder
  readonly delivery: KafkaDelivery
  readonly topics: KnownTopics
  stop(): Promise<void>
}

function createParts(options: ServiceOptions): Parts {
  const { config, clock, log, metrics } = options
  const running: Parts['running'] = {}
  const topics = new KnownTopics(topicNames(config), log)
  const { qps, maxInFlight } = config.checkresult
  const quota = createServiceQuota(options)
  const apiClock = new ApiClock()
  const permits = new PermitQueue({ limiter: quota.limiter, maxInFlight, clock, metrics, log, apiClock })
  const registry = createRegistry(registrySettings(config, log), metrics)
  const decoder = createEventDecoder({ registry, clock, log, metrics })
  const kafka = createKafkaClient(kafkaSettings(config), log)
  const deadLetterNotices = new DeadLetterNotices({ log, clock })
  const blocked = createBlockedPartitions(options, permits, apiClock)
  return {
    kafka,
    groupInstance: groupInstanceOf(config),
    topics,
    delivery: createKafkaDelivery(options, { kafka, topics, running }),
    registry,
    decoder,
    quota,
    permits,
    apiClock,
    deadLetterLimit: new DeadLetterLimit({ ...config.deadLetterLimit, permits, clock }),
    deadLetterNotices,
    blocked,
    health: new ServiceHealth({
      clock,
      shards: () => running.shards,
      warnings: () => running.consumer?.warnings ?? [],
      permits,
      blocked,
      registryWaiting: () => decoder.waiting,
      share: () => quota.share,
      facts: { service: options.service, 'calls per second': qps },
    }),
    running,
    stop: async () => {
      permits.pause('stopping')
      decoder.stop()
      await running.shards?.drain()
      deadLetterNotices.close()
      await running.consumer?.stop()
      await running.client?.close()
      running.credentials?.close()
      quota.stop()
    },
  }
}

function createKafkaDelivery(
  { config, clock, metrics, log }: ServiceOptions,
  { kafka, topics, running }: Pick<Parts, 'kafka' | 'topics' | 'running'>,
): KafkaDelivery {
  return createDelivery({
    delivery: config.consumer.delivery,
    createCluster: kafka.createCluster,
    groupId: config.consumer.groupId,
    inputTopic: config.topics.input,
    topics: Object.values(topics.names).flat(),
    onWidth: (topic, partitions) => topics.setPartitions(topic, partitions),
    usualTopic: config.topics.result,
    consumer: () => consumerOf(running),
    packing: topics.packing(config.compression),
    clock,
    metrics,
    log,
  })
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

/** Retries until it succeeds or the service stops. Logs each new error once. */
async function startWhenReady(options: ServiceOptions, parts: Parts): Promise<void> {
  let delayMs: number = START_RETRY_MS.first
  let obstacle = ''
  while (!parts.health.isStopping) {
    let pauseMs = delayMs
    try {
      await start(options, parts)
      parts.health.started()
      options.log.info('The service has joined the group and is running.')
      return
    } catch (error) {
      const { detail, ...fields } = safeError(error)
      const message =
        detail ?? `Unexpected error (${fields.errorType}) while starting. Report it with its stack.`
      parts.health.notReady(message)
      if (message !== obstacle)
        options.log.error(`Not ready, retrying: ${message}`, detail === undefined ? fields : {})
      obstacle = message
      if (error instanceof OperatorError) pauseMs = Math.max(pauseMs, error.retryAfterMs ?? 0)
    }
    await parts.health.pause(pauseMs)
    delayMs = Math.min(delayMs * 2, START_RETRY_MS.max)
  }
}

/**
 * Starts everything again, because the consumer has stopped. kafkajs's consumer does so when all brokers are
 * unreachable at once. Uncommitted records are read again.
 */
async function restart(options: ServiceOptions, parts: Parts, cause: string): Promise<void> {
  if (parts.health.isStopping) return
  options.log.error(`The Kafka consumer has stopped. The service restarts it. Cause: ${cause}`)
  parts.health.interrupted(cause)
  parts.running.shards?.revokeAll()
  await parts.health.pause(START_RETRY_MS.first)
  await startWhenReady(options, parts)
}

async function start(options: ServiceOptions, parts: Parts): Promise<void> {
  const { config } = options
  parts.running.shards?.revokeAll()
  await parts.quota.ready()
  const { names } = parts.topics
  await parts.topics.inspect(parts.kafka)
  const schemaId = await resultSchemaId(parts.registry, config.registry, names.result)
  const client = createClient(options, parts)
  const shards = createShards({
    ...options,
    ...parts,
    schemaId,
    check: client.check,
    claim: parts.delivery.claim,
    flow: (topic, partition) => consumerOf(parts.running).flow(topic, partition),
    onDefect: (error) => options.onFatal(UNEXPECTED_ERROR, safeError(error)),
  })
  parts.running.shards = shards
  const consumer = createServiceConsumer({
    ...options,
    ...parts,
    shards,
    warm: (perSecond) => client.warm(perSecond),
    onEnd: (message) => {
      parts.running.starting = restart(options, parts, message)
    },
    onDefect: (error) => options.onFatal(UNEXPECTED_ERROR, safeError(error)),
  })
  parts.running.consumer = consumer
  await consumer.start()
}

/** Created only once, even if the start is repeated: from then on, credentials are renewed in the background. */
function createClient(options: ServiceOptions, { running, apiClock }: Parts): CheckResultClient {
  const { checkresult, credentials } = options.config
  running.credentials ??= createCredentialProvider({
    ...options,
    config: credentials,
    readText: readTextFile,
  })
  running.client ??= createCheckResultClient({ ...checkresult, credentials: running.credentials, apiClock })
  return running.client
}

function consumerOf({ consumer }: Parts['running']): GroupConsumer {
  if (consumer === undefined) throw new Error('A partition was assigned before the consumer was created.')
  return consumer
}
