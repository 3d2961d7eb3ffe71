/** `run`: the service itself. */
import { setFlagsFromString } from 'node:v8'
import type { Command } from 'commander'
import type { TopicNames } from '../adapters/kafka/admin/topics.ts'
import { loadConfig, type Config, type Loaded } from '../config.ts'
import { safeError } from '../core/safe-error.ts'
import type { Log } from '../ports.ts'
import type { SharedLimiter } from '../app/quota.ts'
import type { ServiceOptions } from '../app/service.ts'
import { NAME, REVISION, VERSION } from '../version.ts'
import { endNow, logCrashes, stopOnSignals, stopWhileLoading } from './process-end.ts'
import { EXIT_SETTINGS } from '../config/exit-codes.ts'
import { settingsHelp } from './settings.ts'

export function addRunCommand(program: Command): void {
  program
    .command('run')
    .description('run the service until SIGTERM; this is the default command')
    .addHelpText(
      'after',
      settingsHelp('needs KAFKA_BROKERS, SCHEMA_REGISTRY_URL and Alibaba Cloud credentials; uses all others'),
    )
    .action(start)
}

/**
 * Both settings avoid a full garbage collection every few seconds, which makes records wait up to 20 ms. Without the flag V8
 * allocates among old objects whatever survived a backlog; with a pool one long-lived Buffer keeps a slab of 8 KB (0.6 MB/s at 200/s).
 */
function spareTheCollector(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
  Buffer.poolSize = 0
}

/** Writes only JSON lines to standard output, also if the settings are invalid or the start fails. */
async function start(): Promise<void> {
  const loaded = loadConfig(process.env)
  const [{ createLog }, { topicNames }] = await Promise.all([
    import('../adapters/pino/log.ts'),
    import('../app/settings.ts'),
  ])
  const identity = { name: NAME, version: VERSION }
  if (loaded.kind === 'errors') {
    // Independent of LOG_LEVEL, which may be the invalid setting: a process must not end without a message.
    logErrors(
      createLog({ ...identity, level: 'info', names: [...loaded.errors, ...loaded.warnings] }),
      loaded,
    )
    process.exitCode = EXIT_SETTINGS
    return
  }
  const { config, warnings } = loaded
  const names = [...namesIn(config, topicNames(config)), ...warnings]
  const log = createLog({ ...identity, level: config.log.level, names })
  for (const warning of warnings) log.warn(warning)
  const guards = [logCrashes(log), stopWhileLoading(log)]
  const handOver = (): void => {
    for (const remove of guards) remove()
  }
  try {
    await run(config, log, handOver)
  } catch (error) {
    const { detail, ...fields } = safeError(error)
    // A process must not end without a message.
    endNow(
      config.log.level === 'silent' ? createLog({ ...identity, level: 'error', names }) : log,
      detail ?? 'An unexpected error keeps the service from starting. Report it with its stack.',
      fields,
    )
  }
}

function logErrors(log: Log, { errors, warnings }: Extract<Loaded, { kind: 'errors' }>): void {
  for (const warning of warnings) log.warn(warning)
  for (const error of errors) log.error(error)
  const count = errors.length === 1 ? '1 setting is invalid' : `${errors.length} settings are invalid`
  log.error(
    `The service does not start, because ${count}. Correct what the lines above name, then start it again.`,
  )
}

async function run(config: Config, log: Log, handOver: () => void): Promise<void> {
  spareTheCollector()
  const [{ createMetrics }, { systemClock }, { startOps }, { createService }, { topicNames }] =
    await Promise.all([
      import('../adapters/prometheus/metrics.ts'),
      import('../adapters/system-clock.ts'),
      import('../ops/server.ts'),
      import('../app/service.ts'),
      import('../app/settings.ts'),
    ])
  const topics = topicNames(config)
  const { metrics, exposition } = createMetrics({
    version: VERSION,
    revision: REVISION,
    topics: [topics.input, ...topics.retry],
    delivery: config.consumer.delivery,
  })
  const service = createService({
    config,
    clock: systemClock,
    log,
    metrics,
    sharedLimiter: await openSharedLimiter(config, { clock: systemClock, log, metrics }),
    service: `${NAME} ${VERSION}`,
    onFatal: (message, error) => endNow(log, message, error),
  })
  const { health } = service
  const serving = startOps({ ...config.ops, health, exposition, status: () => health.status() })
  stopOnSignals({ log, service, serving, deadlineMs: config.shutdownDeadlineMs })
  handOver()
  const ops = await serving.catch(async (error: unknown) => {
    // Without it nobody could watch the service, and joining the group first would cause a rebalance at each attempt.
    await service.stop()
    throw error
  })
  log.info('Serving health and metrics.', { address: ops.address })
  service.start()
}

/** Names that log lines may hold although they look like personal data. */
function namesIn({ kafka, consumer, registry, checkresult }: Config, topics: TopicNames): string[] {
  const topicList = Object.values(topics).flat()
  return [consumer.groupId, ...kafka.brokers, ...topicList, registry.url, checkresult.endpoint]
}

/** Loaded only if the settings ask for it, because the Redis client is twice as large as the Kafka client. */
async function openSharedLimiter(
  config: Config,
  world: Pick<ServiceOptions, 'clock' | 'log' | 'metrics'>,
): Promise<SharedLimiter | null> {
  if (config.quota.mode !== 'redis') return null
  const { createRedisLimiter } = await import('../adapters/quota/redis-limiter.ts')
  return createRedisLimiter(config, world)
}
