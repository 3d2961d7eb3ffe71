/**
 * Counts the outcomes of records when their transaction is committed, so each record counts once even if it was
 * processed repeatedly.
 */
import { isPlausibleTime } from '../../core/records/plausible-time.ts'
import type { Metrics } from '../../ports.ts'
import type { DeadLetterNotices } from '../dead-letters/dead-letter-notices.ts'
import { wasCalled, type Counts, type ProcessedRecord } from './outputs.ts'

export interface OutcomeCounters {
  readonly metrics: Metrics
  readonly deadLetterNotices: Pick<DeadLetterNotices, 'add'>
}

export function countOutcomes(
  counters: OutcomeCounters,
  finished: readonly { readonly item: { readonly timestampMs: number }; readonly result: ProcessedRecord }[],
  nowMs: number,
): void {
  for (const { item, result } of finished) {
    const isPlausible = isPlausibleTime(item.timestampMs, nowMs)
    if (!isPlausible) counters.metrics.implausibleTimestamp()
    countOutcome(counters, result.counts, isPlausible ? (nowMs - item.timestampMs) / 1000 : null)
    result.onCommitted?.(result.counts)
  }
}

/**
 * Counts the calls for records that were dropped before their commit, because those records will be called for again.
 */
export function countRepeated(metrics: Metrics, dropped: readonly ProcessedRecord[]): void {
  for (const processed of dropped) if (wasCalled(processed)) metrics.wastedCall('repeated')
}

function countOutcome(
  { metrics, deadLetterNotices }: OutcomeCounters,
  counts: Counts,
  endToEndSeconds: number | null,
): void {
  switch (counts.kind) {
    case 'result':
      metrics.resultCommitted(counts.facts, endToEndSeconds)
      if (counts.unreadable) metrics.unreadableDocument()
      for (const member of counts.dropped) metrics.droppedMember(member)
      return
    case 'deferred':
      return metrics.deferred(counts.reason)
    case 'dead-letter':
      deadLetterNotices.add(counts)
      return metrics.deadLettered(counts.reason)
    case 'foreign':
      metrics.foreign(counts.foreign)
      if (counts.deadLettered) metrics.deadLettered('undecodable')
      return
    case 'duplicate':
      return metrics.duplicate()
  }
}
