/** What a record counts as, told to the metrics when its transaction has committed: once, however often it was settled. */
import type { Metrics } from '../ports.ts'
import type { Counts } from './outputs.ts'

export function countOutcome(metrics: Metrics, counts: Counts, endToEndSeconds: number): void {
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
