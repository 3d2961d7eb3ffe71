/** `run`: the service itself. The only place with signals. */
import closeWithGrace from 'close-with-grace'
import type { Command } from 'commander'
import type { Config } from '../config.ts'
import { safeError } from '../core/safe-error.ts'
import { EXIT_FAILED, withSettings } from './settings.ts'

export function addRunCommand(program: Command): void {
  program
    .command('run', { isDefault: true })
    .description('run the service until SIGTERM (the default)')
    .action(() => withSettings(run))
}

async function run(config: Config): Promise<void> {
  const [
    { createLog },
    { createMetrics },
    { systemClock },
    { startOps },
    { startService },
    { NAME, VERSION, REVISION },
  ] = await Promise.all([
    import('../adapters/pino/log.ts'),
    import('../adapters/prometheus/metrics.ts'),
    import('../adapters/system-clock.ts'),
    import('../ops/server.ts'),
    import('../service.ts'),
    import('../version.ts'),
  ])
  const log = createLog({ level: config.log.level, name: NAME, version: VERSION })
  const retryTopics = config.defer.retryTopics.map(({ topic }) => topic)
  const { metrics, exposition } = createMetrics({
    version: VERSION,
    revision: REVISION,
    topics: [config.topics.input, ...retryTopics],
    delivery: config.kafka.delivery,
  })
  const service = startService({
    config,
    clock: systemClock,
    log,
    metrics,
    service: `${NAME} ${VERSION}`,
    onFatal: (sentence, error) => {
      log.error(sentence, error)
      process.exit(EXIT_FAILED)
    },
  })
  const { health } = service
  const ops = await startOps({ ...config.ops, health, exposition, status: () => health.status() }).catch(
    async (error: unknown) => {
      // Nobody could see or stop a service that went on without it.
      await service.stop()
      throw error
    },
  )
  log.info('Health and metrics are served.', { address: ops.address })
  closeWithGrace({ delay: config.shutdownDeadlineMs }, async ({ err, signal }) => {
    if (err !== undefined) log.error('An unexpected error ends the service.', safeError(err))
    else
      log.info('Stopping: what is in flight is committed, nothing further is started.', {
        reason: signal ?? 'asked',
      })
    await service.stop()
    await ops.close()
    log.info('Stopped.')
  })
}
