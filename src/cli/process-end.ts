/** Ends the service's process: after a signal, after an uncaught error, or when SHUTDOWN_DEADLINE has passed. */
import closeWithGrace from 'close-with-grace'
import { formatDuration } from '../config/duration.ts'
import { safeError, UNEXPECTED_ERROR, type SafeError } from '../core/safe-error.ts'
import type { Ops } from '../ops/server.ts'
import type { Log } from '../ports.ts'
import type { Service } from '../app/service.ts'
import { EXIT_FAILED } from '../config/exit-codes.ts'

/**
 * Logs uncaught errors while the service starts, because Node.js would print them as text. Also logs the warnings of Node.js
 * from now on. Call the returned function once {@link stopOnSignals} handles uncaught errors.
 */
export function logCrashes(log: Log): () => void {
  const crash = (error: unknown): never => endNow(log, UNEXPECTED_ERROR, safeError(error))
  process.on('uncaughtException', crash)
  // The listener of Node.js itself prints warnings as text.
  process.removeAllListeners('warning')
  process.on('warning', (warning) =>
    log.warn('Node.js has a warning. The service goes on.', safeError(warning)),
  )
  return () => void process.off('uncaughtException', crash)
}

/**
 * Ends the process at a signal that arrives while the modules of the service load: nothing has to be stopped yet. Call the
 * returned function once {@link stopOnSignals} handles signals.
 */
export function stopWhileLoading(log: Log): () => void {
  const stop = (reason: NodeJS.Signals): never => {
    log.info('Stopped before the service started.', { reason })
    process.exit(0)
  }
  for (const signal of SIGNALS) process.on(signal, stop)
  return () => {
    for (const signal of SIGNALS) process.off(signal, stop)
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

interface Stoppable {
  readonly log: Log
  readonly service: Service
  readonly serving: Promise<Ops>
  readonly deadlineMs: number
}

/**
 * The first signal stops the service in order, a second one at once. An error that nobody caught also ends it at once, because
 * what it has left behind must not be committed.
 */
export function stopOnSignals({ log, service, serving, deadlineMs }: Stoppable): void {
  const options: closeWithGrace.Options = {
    delay: deadlineMs,
    logger: false,
    // There is nothing to close after a failed start.
    skip: ['beforeExit'],
    onSecondSignal: (signal) =>
      log.error(
        'The service ends at once, because of a second signal. Uncommitted records will be read again.',
        {
          reason: signal,
        },
      ),
    onSecondError: (error) => log.error(UNEXPECTED_ERROR, safeError(error)),
    onTimeout: () => log.error(overdue(service, deadlineMs)),
  }
  closeWithGrace(options, async ({ err, signal }) => {
    // Do not test `err`, because a promise may be rejected with undefined.
    if (signal === undefined) endNow(log, UNEXPECTED_ERROR, safeError(err))
    log.info('Stopping: the service commits what is in flight and starts nothing new.', { reason: signal })
    try {
      await service.stop()
      await (await serving).close()
    } catch (error) {
      endNow(log, UNEXPECTED_ERROR, safeError(error))
    }
    log.info('Stopped.')
  })
}

/** The log is written synchronously, so the line is out before the process ends. */
export function endNow(log: Log, message: string, error?: SafeError): never {
  log.error(message, error)
  process.exit(EXIT_FAILED)
}

function overdue({ health }: Service, deadlineMs: number): string {
  const { 'buffered records': records, 'calls in flight': calls } = health.status()
  return (
    `SHUTDOWN_DEADLINE (${formatDuration(deadlineMs)}) has passed, so the service ends with ${records} buffered records and ` +
    `${calls} calls in flight. They will be read and made again.`
  )
}
