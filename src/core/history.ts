/**
 * What a retry copy remembers of the event it was made from, in its headers. Read from retry topics only: on the input
 * topic anybody may write such headers, and they are not believed there, but for the number of redrives, which can only
 * lower the event's priority. Pure; unreadable headers count as absent.
 */
import { lastText, textHeader, type Header, type Headers } from './headers.ts'

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
  /** How often the event was a dead letter and was put back. */
  readonly redrives: number
}

const ATTEMPTS = 'checkresult-attempts'
const FIRST_SEEN = 'checkresult-first-seen'
const SOURCE = 'checkresult-source'
const REDRIVES = 'checkresult-redrives'
const SOURCE_PATTERN = /^([\w.-]{1,249}):(\d{1,9}):(\d{1,19})$/

export function historyHeaders(history: History): Header[] {
  const { topic, partition, offset } = history.source
  return [
    textHeader(ATTEMPTS, String(history.attempts)),
    textHeader(FIRST_SEEN, String(history.firstSeenMs)),
    textHeader(SOURCE, `${topic}:${partition}:${offset}`),
    ...redrivesHeader(history.redrives),
  ]
}

/** None for an event that was never put back. */
export function redrivesHeader(redrives: number): Header[] {
  return redrives === 0 ? [] : [textHeader(REDRIVES, String(redrives))]
}

/** 0 where the header is missing or unreadable. */
export function readRedrives(headers: Headers): number {
  return countIn(headers, REDRIVES) ?? 0
}

/** `fresh` is what holds where a header is missing or unreadable. */
export function readHistory(headers: Headers, fresh: History): History {
  const [, topic, partition, offset] = SOURCE_PATTERN.exec(lastText(headers, SOURCE)) ?? []
  return {
    attempts: countIn(headers, ATTEMPTS) ?? fresh.attempts,
    firstSeenMs: countIn(headers, FIRST_SEEN) ?? fresh.firstSeenMs,
    redrives: readRedrives(headers),
    source:
      topic === undefined || partition === undefined || offset === undefined
        ? fresh.source
        : { topic, partition: Number(partition), offset: BigInt(offset) },
  }
}

function countIn(headers: Headers, name: string): number | null {
  const count = Number(lastText(headers, name))
  return Number.isSafeInteger(count) && count > 0 ? count : null
}
