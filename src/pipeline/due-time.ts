/**
 * When a record of a retry topic may be started: its delay after its own timestamp. Fixed on the monotonic clock when the
 * record comes, so that nothing moves it when the other clock is put right; never later than the delay after it came, for
 * whoever wrote it may have a clock that is ahead. Never throws; called by the lane.
 */
import type { Clock, InputRecord } from '../ports.ts'

/** `dueMs` is missing where nothing waits: on the input topic. */
export type Delivered = InputRecord & { readonly dueMs?: number }

export function withDueTime(record: InputRecord, delayMs: number, clock: Clock): Delivered {
  if (delayMs === 0) return record
  const restMs = record.timestampMs + delayMs - clock.epochMs()
  return { ...record, dueMs: clock.monotonicMs() + Math.min(restMs, delayMs) }
}

/** 0 or less when it is due. */
export function untilDueMs({ dueMs }: Delivered, clock: Clock): number {
  return dueMs === undefined ? 0 : dueMs - clock.monotonicMs()
}
