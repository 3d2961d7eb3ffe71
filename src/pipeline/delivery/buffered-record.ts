/**
 * A record in a lane: its size in memory and when it may start. Never throws.
 *
 * A record of a retry topic is due at its own timestamp plus the topic's delay. The time is converted to the monotonic
 * clock when the record arrives, so that corrections of the wall clock do not move it. It is at most one delay after
 * the arrival, in case the writer's clock is ahead.
 */
import { headersMemory } from '../../core/records/headers.ts'
import { isPlausibleTime } from '../../core/records/plausible-time.ts'
import type { Clock, InputRecord } from '../../ports.ts'

/** `dueMs` is missing on the input topic, where records do not wait. */
export type BufferedRecord = InputRecord & { readonly dueMs?: number }

export interface RecordDelay {
  /** 0 on the input topic. */
  readonly delayMs: number
  readonly clock: Clock
}

export function bufferedRecord(record: InputRecord, { delayMs, clock }: RecordDelay): BufferedRecord {
  if (delayMs === 0) return record
  const nowMs = clock.epochMs()
  // An implausible timestamp does not show when the record was written, so the delay starts now.
  const restMs = isPlausibleTime(record.timestampMs, nowMs) ? record.timestampMs + delayMs - nowMs : delayMs
  return { ...record, dueMs: clock.monotonicMs() + Math.min(restMs, delayMs) }
}

/** 0 or less if the record is due. */
export function untilDueMs({ dueMs }: BufferedRecord, clock: Clock): number {
  return dueMs === undefined ? 0 : dueMs - clock.monotonicMs()
}

export function sizeBytes({ key, value, headers }: InputRecord): number {
  return (value?.length ?? 0) + (key?.length ?? 0) + headersMemory(headers)
}
