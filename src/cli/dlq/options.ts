/** The filters that `dlq list`, `dlq stats` and `dlq redrive` share, from the command line to a selection. */
import { InvalidArgumentError, type Command } from 'commander'
import { parseDuration } from '../../config/duration.ts'
import { DEAD_LETTER_REASONS } from '../../core/dead-letter.ts'
import { parsePlace, placeName, type LetterPlace, type Selection } from '../../core/letter.ts'

export interface FilterOptions {
  readonly reason?: readonly string[]
  readonly code?: readonly string[]
  readonly at?: readonly LetterPlace[]
  readonly olderThan?: number
  readonly newerThan?: number
}

export function addFilters(command: Command): Command {
  return command
    .option('--reason <reason>', `only these, may be repeated: ${DEAD_LETTER_REASONS.join(', ')}`, reason)
    .option('--code <code>', "only letters with this code, the vendor's or ours; may be repeated", repeated)
    .option('--at <partition:offset>', 'only the letter that stands there; may be repeated', places)
    .option('--older-than <duration>', 'only letters that failed longer ago, for example 1h', durationMs)
    .option('--newer-than <duration>', 'only letters that failed since, for example 2d', durationMs)
}

export function selectionOf(options: FilterOptions, nowMs: number): Selection {
  const { reason: reasons = [], code: codes = [], at = [], olderThan, newerThan } = options
  return {
    reasons: new Set(reasons),
    codes: new Set(codes),
    places: new Set(at.map(placeName)),
    failedBeforeMs: olderThan === undefined ? Infinity : nowMs - olderThan,
    failedAfterMs: newerThan === undefined ? -Infinity : nowMs - newerThan,
  }
}

export function place(text: string): LetterPlace {
  const found = parsePlace(text)
  if (found === null) {
    throw new InvalidArgumentError(
      'A place in the dead-letter topic is wanted, partition:offset, as `dlq list` shows.',
    )
  }
  return found
}

export function wholeNumber(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1 || number > MOST_ROWS) {
    throw new InvalidArgumentError(`A whole number from 1 to ${MOST_ROWS} is wanted.`)
  }
  return number
}

/** They are all in memory at once. */
const MOST_ROWS = 100_000

function places(text: string, before: readonly LetterPlace[] = []): readonly LetterPlace[] {
  return [...before, place(text)]
}

function repeated(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}

function reason(text: string, before: readonly string[] = []): readonly string[] {
  if (!DEAD_LETTER_REASONS.some((known) => known === text)) {
    throw new InvalidArgumentError(`Reasons are ${DEAD_LETTER_REASONS.join(', ')}.`)
  }
  return [...before, text]
}

function durationMs(text: string): number {
  const duration = parseDuration(text)
  if (duration === undefined)
    throw new InvalidArgumentError('A duration such as 90s, 15m, 6h or 2d is wanted.')
  return duration.ms
}
