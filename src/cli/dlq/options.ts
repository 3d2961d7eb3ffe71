/** The filters that `dlq list`, `dlq stats` and `dlq redrive` share. */
import { InvalidArgumentError, type Command } from 'commander'
import { parseDuration } from '../../config/duration.ts'
import { DEAD_LETTER_REASONS } from '../../core/dead-letters/dead-letter.ts'
import {
  parsePosition,
  positionName,
  type DeadLetterPosition,
  type Selection,
} from '../../core/dead-letters/stored-dead-letter.ts'

export interface FilterOptions {
  readonly reason?: readonly string[]
  readonly code?: readonly string[]
  readonly at?: readonly DeadLetterPosition[]
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
    .option(
      '--at <partition:offset>',
      'only the dead letter at this DLQ position; may be repeated',
      positions,
    )
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
    positions: new Set(at.map(positionName)),
    failedBeforeMs: olderThan === undefined ? Infinity : nowMs - olderThan,
    failedAfterMs: newerThan === undefined ? -Infinity : nowMs - newerThan,
  }
}

export function position(text: string): DeadLetterPosition {
  const found = parsePosition(text)
  if (found === null) {
    throw new InvalidArgumentError('Expected a DLQ position, partition:offset, as `dlq list` prints it.')
  }
  return found
}

function positions(text: string, before: readonly DeadLetterPosition[] = []): readonly DeadLetterPosition[] {
  return [...before, position(text)]
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
