/**
 * Log lines on standard output, one JSON object each. Only the fields of `LogFields` are written, and each only if it has
 * the shape of what it is for: whatever else is passed, by whatever mistake, is left out or withheld. Never throws.
 *
 * Written synchronously: nothing is lost when the process ends, and there are few lines.
 */
import pino from 'pino'
import { isStack } from '../../core/safe-error.ts'
import type { Log, LogFields } from '../../ports.ts'

export interface LogOptions {
  readonly level: 'info' | 'warn' | 'error' | 'silent'
  /** Name and version of the service, on every line. */
  readonly name: string
  readonly version: string
  /** Standard output where left out. */
  readonly destination?: { write(line: string): void }
}

export function createLog({ level, name, version, destination }: LogOptions): Log {
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
    info: (message, fields) => logger.info(allowed(fields), scrubbed(message)),
    warn: (message, fields) => logger.warn(allowed(fields), scrubbed(message)),
    error: (message, fields) => logger.error(allowed(fields), scrubbed(message)),
  }
}

type Field = keyof LogFields

/** What a field may hold; null withholds the value. */
const SHAPES: Readonly<Record<Field, (value: unknown) => string | number | null>> = {
  topic: matching(/^[\w.-]{1,249}$/),
  partition: finite,
  offset: matching(/^-?\d{1,19}$/),
  partitions: matching(/^(?:[\w.-]{1,249} \[[\d ]{0,2000}\](?:, |$)){0,20}$/),
  code: identifier(/^(?:HTTP \d{3}|[\w.-]{1,100})$/),
  reason: identifier(/^[\w .:-]{1,200}$/),
  outcome: identifier(/^[\w-]{1,60}$/),
  attempt: finite,
  count: finite,
  durationMs: finite,
  address: matching(/^[\w.:[\]/-]{1,300}$/),
  detail: (value) => (typeof value === 'string' ? scrubbed(value) : null),
  errorType: identifier(/^\w{1,80}$/),
  stack: (value) => (typeof value === 'string' && isStack(value) ? value : null),
}

const FIELDS = Object.keys(SHAPES) as readonly Field[]

function allowed(fields: LogFields | undefined): Record<string, string | number> {
  const line: Record<string, string | number> = {}
  if (fields === undefined) return line
  for (const field of FIELDS) {
    const value: unknown = fields[field]
    if (value !== undefined) line[field] = SHAPES[field](value) ?? '(withheld)'
  }
  return line
}

function finite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

function matching(shape: RegExp) {
  return (value: unknown): string | null => (typeof value === 'string' && shape.test(value) ? value : null)
}

function identifier(shape: RegExp) {
  return (value: unknown): string | null =>
    typeof value === 'string' && shape.test(value) && scrubbed(value) === value ? value : null
}

const MAX_SENTENCE = 500

/**
 * Sentences are ours and hold nothing personal. Should one do so by mistake, what is easily told is cut out: anything but
 * plain English letters and signs, dates, and numbers as long as those on a document.
 */
function scrubbed(sentence: string): string {
  return sentence
    .slice(0, MAX_SENTENCE)
    .replace(/[^ ]*[^\x20-\x7e][^ ]*/g, '…')
    .replace(/\b\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b/g, '…')
    .replace(/\w*\d{6,}\w*(?:\(\w\))?/g, '…')
}
