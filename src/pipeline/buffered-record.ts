/**
 * A record in a lane's hands: how much it weighs, and when it may be started. Never throws; called by the lane.
 *
 * A record of a retry topic is due its delay after its own timestamp. That is fixed on the monotonic clock when the record
 * comes, so that nothing moves it when the other clock is put right; and it is never later than the delay after it came, for
 * whoever wrote it may have a clock that is ahead.
 */
import { headersMemory } from '../core/headers.ts'
import { isPlausibleTime } from '../core/plausible-time.ts'
import type { Clock, InputRecord } from '../ports.ts'

/** `dueMs` is missing where nothing waits: on the input topic. */
export type BufferedRecord = InputRecord & { readonly dueMs?: number }

interface RecordDelay {
  /** 0 on the input topic. */
  readonly delayMs: number
  readonly clock: Clock
}

export function bufferedRecord(record: InputRecord, { delayMs, clock }: RecordDelay): BufferedRecord {
  if (delayMs === 0) return record
  const nowMs = clock.epochMs()
  // A timestamp that cannot be true says nothing of when the record was written: it waits from now on.
  const restMs = isPlausibleTime(record.timestampMs, nowMs) ? record.timestampMs + delayMs - nowMs : delayMs
  return { ...record, dueMs: clock.monotonicMs() + Math.min(restMs, delayMs) }
}

/** 0 or less when it is due. */
export function untilDueMs({ dueMs }: BufferedRecord, clock: Clock): number {
  return dueMs === undefined ? 0 : dueMs - clock.monotonicMs()
}

export function sizeBytes({ key, value, headers }: InputRecord): number {
  return (value?.length ?? 0) + (key?.length ?? 0) + headersMemory(headers)
}
