/**
 * The history of an event in the headers of its retry copies. It is read on retry topics only, because anybody may
 * write these headers to the input topic. The exception is the number of redrives, which can only lower the event's
 * priority. Pure; unreadable headers count as missing.
 */
import { lastText, textHeader, type Header, type Headers } from './headers.ts'

export interface SourceCoordinates {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

export interface History {
  /** CheckResult calls so far, without throttled and blocked ones. */
  readonly attempts: number
  /** Milliseconds since the epoch. */
  readonly firstSeenMs: number
  /** The event's position on the input topic. */
  readonly source: SourceCoordinates
  /** How often the event was redriven from the dead-letter topic. */
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

/** Empty for an event that was never redriven. */
export function redrivesHeader(redrives: number): Header[] {
  return redrives === 0 ? [] : [textHeader(REDRIVES, String(redrives))]
}

/** 0 if the header is missing or unreadable. */
export function readRedrives(headers: Headers): number {
  return countIn(headers, REDRIVES) ?? 0
}

/** `fresh` provides the values for headers that are missing or unreadable. */
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
