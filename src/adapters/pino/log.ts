/**
 * Log lines on standard output, one JSON object each. Only the fields of `LogFields` are written, and only if their
 * value has the expected shape. Anything else that is passed by mistake is left out or withheld. Never throws.
 *
 * Lines are written synchronously: there are few, and none is lost when the process ends.
 */
import pino from 'pino'
import type { LogLevel } from '../../core/log-level.ts'
import { isStack } from '../../core/safe-error.ts'
import type { Log, LogFields } from '../../ports.ts'
import { createScrub } from './scrub.ts'

export interface LogOptions {
  readonly level: LogLevel
  /** Name and version of the service, included in every line. */
  readonly name: string
  readonly version: string
  /** Names of topics, hosts and so on from the settings. Lines may contain them unchanged. */
  readonly names?: readonly string[]
  /** Defaults to standard output. */
  readonly destination?: { write(line: string): void }
}

export function createLog({ level, name, version, names = [], destination }: LogOptions): Log {
  const scrub = createScrub(names)
  const shapes = shapesOf(scrub)
  const logger = pino(
    {
      level,
      base: { service: name, version },
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination ?? pino.destination({ dest: 1, sync: true }),
  )
  return {
    ...(level === 'debug' && {
      debug: (message: string, fields?: LogFields) => logger.debug(allowed(fields, shapes), scrub(message)),
    }),
    info: (message, fields) => logger.info(allowed(fields, shapes), scrub(message)),
    warn: (message, fields) => logger.warn(allowed(fields, shapes), scrub(message)),
    error: (message, fields) => logger.error(allowed(fields, shapes), scrub(message)),
  }
}

type Field = keyof LogFields

/** Validates each field's value. Null withholds it. */
type Shapes = Readonly<Record<Field, (value: unknown) => string | number | null>>

function shapesOf(scrub: (text: string) => string): Shapes {
  const identifier = (shape: RegExp) => (value: unknown) =>
    typeof value === 'string' && shape.test(value) && scrub(value) === value ? value : null
  return {
    topic: matching(/^[\w.-]{1,249}$/),
    partition: finite,
    offset: matching(/^-?\d{1,19}$/),
    partitions: matching(/^(?:[\w.-]{1,249} \[[\d ]{0,2000}\](?:, |$)){0,20}$/),
    code: identifier(/^(?:HTTP \d{3}|[\w.-]{1,100})$/),
    reason: identifier(/^[\w .:-]{1,200}$/),
    outcome: identifier(/^[\w-]{1,60}$/),
    attempt: finite,
    count: finite,
    durationMs: tenths,
    address: matching(/^[\w.:[\]/-]{1,300}$/),
    detail: (value) => (typeof value === 'string' ? scrub(value) : null),
    errorType: identifier(/^\w{1,80}$/),
    stack: (value) => (typeof value === 'string' && isStack(value) ? value : null),
  }
}

function allowed(fields: LogFields | undefined, shapes: Shapes): Record<string, string | number> {
  const line: Record<string, string | number> = {}
  if (fields === undefined) return line
  for (const field of Object.keys(shapes) as Field[]) {
    const value: unknown = fields[field]
    if (value !== undefined) line[field] = shapes[field](value) ?? '(withheld)'
  }
  return line
}

function finite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** Nobody needs more digits of a duration. */
function tenths(value: unknown): number | null {
  const number = finite(value)
  return number === null ? null : Math.round(number * 10) / 10
}

function matching(shape: RegExp) {
  return (value: unknown): string | null => (typeof value === 'string' && shape.test(value) ? value : null)
}
