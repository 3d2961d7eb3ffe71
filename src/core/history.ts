/**
 * What a retry copy remembers of the event it was made from, in its headers. Read from retry topics only: on the input
 * topic anybody may write such headers, and they are not believed there. Pure; unreadable headers count as absent.
 */

export type Headers = Readonly<Record<string, Buffer | readonly Buffer[] | null>>

export interface SourceCoordinates {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

export interface History {
  /** CheckResult calls made so far that counted: throttled and blocked ones do not. */
  readonly attempts: number
  /** Milliseconds since the epoch. */
  readonly firstSeenMs: number
  /** Where the event stood on the input topic. */
  readonly source: SourceCoordinates
}

const ATTEMPTS = 'checkresult-attempts'
const FIRST_SEEN = 'checkresult-first-seen'
const SOURCE = 'checkresult-source'
const SOURCE_PATTERN = /^([\w.-]{1,249}):(\d{1,9}):(\d{1,19})$/

export function historyHeaders(history: History): Record<string, Buffer> {
  const { topic, partition, offset } = history.source
  return {
    [ATTEMPTS]: Buffer.from(String(history.attempts)),
    [FIRST_SEEN]: Buffer.from(String(history.firstSeenMs)),
    [SOURCE]: Buffer.from(`${topic}:${partition}:${offset}`),
  }
}

/** `fresh` is what holds where a header is missing or unreadable. */
export function readHistory(headers: Headers, fresh: History): History {
  const attempts = Number(text(headers[ATTEMPTS]))
  const firstSeenMs = Number(text(headers[FIRST_SEEN]))
  const [, topic, partition, offset] = SOURCE_PATTERN.exec(text(headers[SOURCE])) ?? []
  return {
    attempts: Number.isSafeInteger(attempts) && attempts > 0 ? attempts : fresh.attempts,
    firstSeenMs: Number.isSafeInteger(firstSeenMs) && firstSeenMs > 0 ? firstSeenMs : fresh.firstSeenMs,
    source:
      topic === undefined || partition === undefined || offset === undefined
        ? fresh.source
        : { topic, partition: Number(partition), offset: BigInt(offset) },
  }
}

function text(value: Headers[string] | undefined): string {
  return Buffer.isBuffer(value) ? value.toString('utf8') : ''
}
