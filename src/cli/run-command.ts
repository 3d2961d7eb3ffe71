/** `run`: the service itself. The only place with signals. */
import { setFlagsFromString } from 'node:v8'
import closeWithGrace from 'close-with-grace'
import type { Command } from 'commander'
import type { TopicNames } from '../adapters/kafka/topics.ts'
import type { Config } from '../config.ts'
import { formatDuration } from '../config/duration.ts'
import { safeError, type SafeError } from '../core/safe-error.ts'
import type { Ops } from '../ops/server.ts'
import type { Log } from '../ports.ts'
import type { SharedLimiter } from '../service-quota.ts'
import type { Service, ServiceOptions } from '../service.ts'
import { EXIT_FAILED, withSettings } from './settings.ts'

export function addRunCommand(program: Command): void {
  program
    .command('run')
    .description('run the service until SIGTERM; this is the default command')
    .action(() => withSettings(run))
}

/**
 * Both keep a full collection, for which records wait up to 20 ms, from coming every few seconds at a pace. What survives
 * while a backlog is drained, V8 would make among old objects ever after. And small Buffers share slabs of eight kilobytes, of
 * which one long-lived Buffer keeps the whole: 0.6 MB a second at 200/s.
 */
function spareTheCollector(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
  Buffer.poolSize = 0
}

async function run(config: Config): Promise<void> {
  spareTheCollector()
  const [
    { createLog },
    { createMetrics },
    { systemClock },
    { startOps },
    { createService },
    { topicNames },
    { NAME, VERSION, REVISION },
  ] = await Promise.all([
    import('../adapters/pino/log.ts'),
    import('../adapters/prometheus/metrics.ts'),
    import('../adapters/system-clock.ts'),
    import('../ops/server.ts'),
    import('../service.ts'),
    import('../service-settings.ts'),
    import('../version.ts'),
  ])
  const topics = topicNames(config)
  const names = namesIn(config, topics)
  const log = createLog({ level: config.log.level, name: NAME, version: VERSION, names })
  const { metrics, exposition } = createMetrics({
    version: VERSION,
    revision: REVISION,
    topics: [topics.input, ...topics.retry],
    delivery: config.kafka.delivery,
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
  const ops = await serving.catch(async (error: unknown) => {
    // Nobody could see or stop a service without it, and joining the group first would cost a rebalance each try.
    await service.stop()
    throw error
  })
  log.info('Health and metrics are served.', { address: ops.address })
  service.start()
}

/** What its sentences may name. */
function namesIn({ kafka, registry, checkresult }: Config, topics: TopicNames): string[] {
  const topicList = Object.values(topics).flat()
  return [kafka.groupId, ...kafka.brokers, ...topicList, registry.url, checkresult.endpoint]
}

/** Loaded where the settings ask for it only: the client of Redis is twice as large as that of Kafka. */
async function openSharedLimiter(
  config: Config,
  world: Pick<ServiceOptions, 'clock' | 'log' | 'metrics'>,
): Promise<SharedLimiter | null> {
  if (config.quota.mode !== 'redis') return null
  const { createRedisLimiter } = await import('../adapters/quota/redis-limiter.ts')
  return createRedisLimiter(config, world)
}

interface Stoppable {
  readonly log: Log
  readonly service: Service
  readonly serving: Promise<Ops>
  readonly deadlineMs: number
}

/**
 * The first signal stops the service in order, a second one at once. An error that nobody caught ends it at once, too: what
 * it has left behind is not to be committed. Whatever the way, the last line in the log says it.
 */
function stopOnSignals({ log, service, serving, deadlineMs }: Stoppable): void {
  const options: closeWithGrace.Options = {
    delay: deadlineMs,
    logger: false,
    // Of a start that failed: its sentence has been printed.
    skip: ['beforeExit'],
    onSecondSignal: (signal) =>
      log.error('A second signal ends the service at once; what is in hand is read again.', {
        reason: signal,
      }),
    onSecondError: (error) => log.error(UNEXPECTED, safeError(error)),
    onTimeout: () => log.error(overdue(service, deadlineMs)),
  }
  closeWithGrace(options, async ({ err, signal }) => {
    // Not by `err`: a promise may be rejected with nothing.
    if (signal === undefined) endNow(log, UNEXPECTED, safeError(err))
    log.info('Stopping: what is in flight is committed, nothing further is started.', { reason: signal })
    try {
      await service.stop()
      await (await serving).close()
    } catch (error) {
      endNow(log, UNEXPECTED, safeError(error))
    }
    log.info('Stopped.')
  })
}

const UNEXPECTED =
  'An unexpected error ends the service; nothing is lost, the records in hand are read again.'

/** The log is written synchronously: the sentence is out before the process is gone. */
function endNow(log: Log, message: string, error?: SafeError): never {
  log.error(message, error)
  process.exit(EXIT_FAILED)
}

function overdue({ health }: Service, deadlineMs: number): string {
  const { 'records in hand': records, 'calls in flight': calls } = health.status()
  return (
    `SHUTDOWN_DEADLINE (${formatDuration(deadlineMs)}) has passed: the service ends with ${records} records in hand and ` +
    `${calls} calls in flight, which are read again.`
  )
}
