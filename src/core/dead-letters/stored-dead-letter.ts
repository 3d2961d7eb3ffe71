/**
 * A dead letter as an operator sees it: parsed from its headers, selected by filters, prepared for a redrive. Pure and
 * total: every record of the topic is a dead letter, a redrive receipt or something else, and no text in it can control
 * a terminal.
 *
 * A redrive receipt records that a dead letter was redriven. It is a separate record in the dead letter's partition,
 * written in the same transaction as the event on the input topic.
 */
import { withoutOurs } from './dead-letter.ts'
import { lastValue, textHeader, type Headers } from '../records/headers.ts'
import { LEFT_OUT_FIELDS, leftOutFields, type LeftOutField } from './left-out.ts'
import { readRedrives, redrivesHeader, type SourceCoordinates } from '../records/history.ts'

/** The position of a dead letter in the dead-letter topic. */
export interface DeadLetterPosition {
  readonly partition: number
  readonly offset: bigint
}

export interface StoredDeadLetter extends DeadLetterPosition {
  /** One of DEAD_LETTER_REASONS, or a reason of another version. */
  readonly reason: string
  readonly code: string
  readonly stage: string
  readonly message: string
  readonly service: string
  readonly attempts: number
  readonly redrives: number
  /** Milliseconds since the epoch. */
  readonly failedAtMs: number
  /** The event's position; null if the headers do not contain it. */
  readonly source: SourceCoordinates | null
  /** The parts of the event that are missing because they were too large, rejected by the brokers or damaged. */
  readonly leftOut: readonly LeftOutField[]
}

export interface StoredRecord extends DeadLetterPosition {
  readonly timestampMs: number
  readonly headers: Headers
}

export type DlqRecord =
  | { readonly kind: 'dead-letter'; readonly deadLetter: StoredDeadLetter }
  | { readonly kind: 'redrive-receipt'; readonly of: DeadLetterPosition }
  /** Written by another program. */
  | { readonly kind: 'other' }

/** The code of a dead letter for stored events that cannot be read. A redrive would write an empty record. */
const DAMAGED_BATCH = 'damaged-batch'
const RECEIPT_HEADER = 'checkresult-redriven'
const POSITION_PATTERN = /^(\d{1,9}):(\d{1,19})$/
const TOPIC_PATTERN = /^[\w.-]{1,249}$/
const OFFSET_PATTERN = /^\d{1,19}$/
const MAX_TEXT_LENGTH = 200
/** JavaScript's limit for dates. A record may have any timestamp. */
const MAX_DATE_MS = 8.64e15

export function readDlqRecord(record: StoredRecord): DlqRecord {
  const of = parsePosition(text(record.headers, RECEIPT_HEADER))
  if (of !== null) return { kind: 'redrive-receipt', of }
  const reason = text(record.headers, 'checkresult-reason')
  if (reason === '') return { kind: 'other' }
  return { kind: 'dead-letter', deadLetter: readDeadLetter(record, reason) }
}

function readDeadLetter(
  { partition, offset, timestampMs, headers }: StoredRecord,
  reason: string,
): StoredDeadLetter {
  const failedAtMs = Date.parse(text(headers, 'checkresult-failed-at'))
  const attempts = Number(text(headers, 'checkresult-attempts'))
  const code = text(headers, 'checkresult-code')
  return {
    partition,
    offset,
    reason,
    code,
    stage: text(headers, 'checkresult-stage'),
    message: text(headers, '__connect.errors.exception.message'),
    service: text(headers, 'checkresult-service'),
    attempts: Number.isSafeInteger(attempts) ? attempts : 0,
    redrives: readRedrives(headers),
    failedAtMs: [failedAtMs, timestampMs].find((ms) => Math.abs(ms) <= MAX_DATE_MS) ?? 0,
    source: readSource(headers),
    leftOut: code === DAMAGED_BATCH ? LEFT_OUT_FIELDS : leftOutFields(headers),
  }
}

/**
 * Whether the dead letter's event came from one of our topics. A dead-letter topic may be shared with another pipeline,
 * whose events this service must not process.
 */
export function isFromOneOf(
  topics: ReadonlySet<string>,
  { source }: Pick<StoredDeadLetter, 'source'>,
): boolean {
  return source !== null && topics.has(source.topic)
}

function readSource(headers: Headers): SourceCoordinates | null {
  const topic = text(headers, '__connect.errors.topic')
  const partition = text(headers, '__connect.errors.partition')
  const offset = text(headers, '__connect.errors.offset')
  return TOPIC_PATTERN.test(topic) && OFFSET_PATTERN.test(partition) && OFFSET_PATTERN.test(offset)
    ? { topic, partition: Number(partition), offset: BigInt(offset) }
    : null
}

/** `partition:offset`, the form in which commands print and accept DLQ positions. */
export function positionName({ partition, offset }: DeadLetterPosition): string {
  return `${partition}:${offset}`
}

export function parsePosition(name: string): DeadLetterPosition | null {
  const [, partition, offset] = POSITION_PATTERN.exec(name) ?? []
  return partition === undefined || offset === undefined
    ? null
    : { partition: Number(partition), offset: BigInt(offset) }
}

/** Filters for dead letters. An empty set matches all. */
export interface Selection {
  readonly reasons: ReadonlySet<string>
  readonly codes: ReadonlySet<string>
  /** In the form of {@link positionName}. */
  readonly positions: ReadonlySet<string>
  /** Milliseconds since the epoch, both exclusive. */
  readonly failedAfterMs: number
  readonly failedBeforeMs: number
}

export const EVERY_DEAD_LETTER: Selection = {
  reasons: new Set(),
  codes: new Set(),
  positions: new Set(),
  failedAfterMs: -Infinity,
  failedBeforeMs: Infinity,
}

export function isSelected(deadLetter: StoredDeadLetter, selection: Selection): boolean {
  const { reasons, codes, positions, failedAfterMs, failedBeforeMs } = selection
  return (
    matches(reasons, deadLetter.reason) &&
    matches(codes, deadLetter.code) &&
    matches(positions, positionName(deadLetter)) &&
    deadLetter.failedAtMs > failedAfterMs &&
    deadLetter.failedAtMs < failedBeforeMs
  )
}

function matches(wanted: ReadonlySet<string>, one: string): boolean {
  return wanted.size === 0 || wanted.has(one)
}

/** The headers of the redriven event: its own, plus the number of redrives. */
export function redrivenHeaders(original: Headers, deadLetter: StoredDeadLetter): Headers {
  return [...withoutOurs(original), ...redrivesHeader(deadLetter.redrives + 1)]
}

export function receiptHeaders(of: DeadLetterPosition): Headers {
  return [textHeader(RECEIPT_HEADER, positionName(of))]
}

/**
 * Replaces control characters, because anyone with write access may have written the text and it is printed to a
 * terminal.
 */
function text(headers: Headers, name: string): string {
  const value = lastValue(headers, name)
  return value === null
    ? ''
    : value.toString('utf8', 0, MAX_TEXT_LENGTH).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')
}
