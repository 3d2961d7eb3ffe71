/**
 * What may be said of an error. Libraries put values, records and addresses into their messages (avsc the value that does
 * not fit, undici the URL with the transaction, kafkajs whole records): only the type, the code and the place are taken
 * from them. Pure and total, whatever is thrown.
 */

/** An error whose message is a message of ours for the operator, without a value of a record or an answer in it. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError'
  /** What failed may be tried again after this, for it passes or is fixed elsewhere; null when that is not known. */
  readonly retryAfterMs: number | null

  constructor(message: string, retryAfterMs: number | null = null) {
    super(message)
    this.retryAfterMs = retryAfterMs
  }
}

/** Fits the fields of a log line. */
export interface SafeError {
  readonly errorType: string
  /** A system, library or protocol code, the error's own or that of its cause. */
  readonly code?: string
  /** The message, of an {@link OperatorError} only. */
  readonly detail?: string
  /** Where it was thrown: function names and positions, a frame a line. */
  readonly stack?: string
}

export function safeError(error: unknown): SafeError {
  const code = codeOf(error)
  const stack = framesOf(error)
  return {
    errorType: typeOf(error),
    ...(code === null ? {} : { code }),
    ...(error instanceof OperatorError ? { detail: error.message } : {}),
    ...(stack === null ? {} : { stack }),
  }
}

const MAX_CAUSES = 4
const MAX_FRAMES = 10

function typeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return typeof error
  const name = textOf(error, 'name')
  return name !== null && /^[A-Za-z]\w{0,79}$/.test(name) ? name : 'object'
}

/** `type` is where kafkajs keeps the protocol error's name. */
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

/** Whether each line is a stack frame and nothing else. */
export function isStack(text: string): boolean {
  return text.split('\n').every((line) => FRAME.test(line))
}

/** The message comes first in a stack, and may have lines that look like frames: as many lines as it has are left out. */
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
