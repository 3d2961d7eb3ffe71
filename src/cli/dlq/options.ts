/** The filters that `dlq list`, `dlq stats` and `dlq redrive` share. */
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
    .option(
      '--reason <reason>',
      `only dead letters with this reason; may be repeated: ${DEAD_LETTER_REASONS.join(', ')}`,
      reason,
    )
    .option(
      '--code <code>',
      'only dead letters with this code, as in the column CODE; may be repeated',
      repeated,
    )
    .option('--at <partition:offset>', 'only the dead letter at this DLQ position; may be repeated', places)
    .option(
      '--older-than <duration>',
      'only dead letters that failed longer ago than this, for example 1h',
      durationMs,
    )
    .option(
      '--newer-than <duration>',
      'only dead letters that failed within this time, for example 2d',
      durationMs,
    )
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
    throw new InvalidArgumentError('Expected a DLQ position, partition:offset, as `dlq list` prints it.')
  }
  return found
}

function places(text: string, before: readonly LetterPlace[] = []): readonly LetterPlace[] {
  return [...before, place(text)]
}

function repeated(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}

function reason(text: string, before: readonly string[] = []): readonly string[] {
  if (!DEAD_LETTER_REASONS.some((known) => known === text)) {
    throw new InvalidArgumentError(`Expected one of ${DEAD_LETTER_REASONS.join(', ')}.`)
  }
  return [...before, text]
}

function durationMs(text: string): number {
  const duration = parseDuration(text)
  if (duration === undefined)
    throw new InvalidArgumentError('Expected a duration such as 90s, 15m, 6h or 2d.')
  return duration.ms
}
