/** A logger that keeps all lines with level and fields. */
import type { Log, LogFields } from '../../src/ports.ts'

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: LogFields
}

export interface RecordingLog extends Log {
  readonly lines: readonly LogLine[]
}

/** With `isDebug` it also keeps debug lines. */
export function recordingLog(isDebug = false): RecordingLog {
  const lines: LogLine[] = []
  const at =
    (level: LogLine['level']) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields })
  return {
    lines,
    ...(isDebug && { debug: at('debug') }),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  }
}
