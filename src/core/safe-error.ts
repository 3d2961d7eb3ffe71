/**
 * The parts of an error that may be logged. Libraries put values, records and addresses into their messages (avsc the
 * offending value, undici the URL with the transaction, kafkajs whole records), so only the type, the code and the
 * stack positions are used. Pure and total, whatever is thrown.
 */

/** An error whose message is our own and meant for the operator. It contains no value of a record or an answer. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError'
  /**
   * A retry makes sense after this time, because the cause is temporary or will be fixed elsewhere; null if that is
   * unknown.
   */
  readonly retryAfterMs: number | null

  constructor(message: string, retryAfterMs: number | null = null) {
    super(message)
    this.retryAfterMs = retryAfterMs
  }
}

/** Matches the fields of a log line. */
export interface SafeError {
  readonly errorType: string
  /** A system, library or protocol code of the error or its cause. */
  readonly code?: string
  /** Only the message of an {@link OperatorError}. */
  readonly detail?: string
  /** Function names and positions, one frame per line. */
  readonly stack?: string
}

export function safeError(error: unknown): SafeError {
  const code = codeOf(error)
  // The message of an OperatorError says everything, and a stack would look like a defect.
  const stack = error instanceof OperatorError ? null : framesOf(error)
  return {
    errorType: typeOf(error),
    ...(code === null ? {} : { code }),
    ...(error instanceof OperatorError ? { detail: error.message } : {}),
    ...(stack === null ? {} : { stack }),
  }
}

/** The log line of a defect that ends the process. */
export const UNEXPECTED_ERROR =
  'An unexpected error ends the service. No event is lost: uncommitted records will be read again. Report the error with its stack.'

const MAX_CAUSES = 4
const MAX_FRAMES = 10

function typeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return typeof error
  const name = textOf(error, 'name')
  return name !== null && /^[A-Za-z]\w{0,79}$/.test(name) ? name : 'object'
}

/** kafkajs stores the name of a protocol error in `type`. */
function codeOf(error: unknown): string | null {
  let current = error
  for (let depth = 0; depth < MAX_CAUSES; depth += 1) {
    const code = textOf(current, 'type') ?? textOf(current, 'code')
    if (code !== null && /^[\w.-]{1,80}$/.test(code)) return code
    current = memberOf(current, 'cause')
  }
  return null
}

const FRAME =
  /^at (?:async )?(?:(?:new )?[\w$.<>#]+(?: \[as [\w$]+\])? \()?(?:file:\/\/|node:)?[\w@%+./~-]+:\d+:\d+\)?$/

/** Whether every line is a stack frame. */
export function isStack(text: string): boolean {
  return text.split('\n').every((line) => FRAME.test(line))
}

/** Skips the message at the beginning of a stack, because its lines may look like frames. */
function framesOf(error: unknown): string | null {
  const stack = textOf(error, 'stack')
  if (stack === null) return null
  const lines = (textOf(error, 'message') ?? '').split('\n').length
  const frames = stack
    .split('\n')
    .slice(lines)
    .map((line) => line.trim())
    .filter((line) => FRAME.test(line))
  return frames.length === 0 ? null : frames.slice(0, MAX_FRAMES).join('\n')
}

function textOf(value: unknown, member: string): string | null {
  const found = memberOf(value, member)
  return typeof found === 'string' || typeof found === 'number' ? String(found) : null
}

function memberOf(value: unknown, member: string): unknown {
  try {
    return typeof value === 'object' && value !== null ? Reflect.get(value, member) : null
  } catch {
    return null
  }
}
