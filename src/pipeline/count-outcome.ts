/** What a record counts as, told to the metrics when its transaction has committed: once, however often it was settled. */
import type { Metrics } from '../ports.ts'
import { cameOfACall, type Counts, type Settled } from './outputs.ts'

export function countOutcomes(
  metrics: Metrics,
  finished: readonly { readonly item: { readonly timestampMs: number }; readonly result: Settled }[],
  nowMs: number,
): void {
  for (const { item, result } of finished)
    countOutcome(metrics, result.counts, (nowMs - item.timestampMs) / 1000)
}

/** These came to nothing: somebody will ask for them again. */
export function countRepeated(metrics: Metrics, dropped: readonly Settled[]): void {
  for (const settled of dropped) if (cameOfACall(settled)) metrics.wastedCall('repeated')
}

function countOutcome(metrics: Metrics, counts: Counts, endToEndSeconds: number): void {
  switch (counts.kind) {
    case 'result':
      metrics.settled(counts.facts, endToEndSeconds)
      if (counts.unreadable) metrics.unreadableDocument()
      return
    case 'deferred':
      return metrics.deferred(counts.reason)
    case 'dead-letter':
      return metrics.deadLettered(counts.reason)
    case 'duplicate':
      return metrics.duplicate()
  }
}
