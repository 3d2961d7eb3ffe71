/** Metrics of problems with the partition logs that this replica reads. */
import type { Metrics } from '../../ports.ts'
import type { Instruments } from './instruments.ts'

type LogMetrics = Pick<Metrics, 'offsetsLost' | 'openTransaction' | 'leaderSilent'>

export function logMetrics(instruments: Instruments, topics: readonly string[]): LogMetrics {
  const lost = instruments.counter(
    'offsets_lost_total',
    'Number of offsets that were deleted from the topic before the service processed them.',
    { topic: topics },
  )
  const open = sinceGauge(
    instruments,
    'open_transaction_seconds',
    "Seconds since a producer's open transaction started to block reads of the partition; absent while none does.",
  )
  const silent = sinceGauge(
    instruments,
    'partition_leader_silent_seconds',
    'Seconds since the leader of the partition last answered; absent while it answers.',
  )
  return {
    offsetsLost: (topic, offsets) => lost([topic], offsets),
    openTransaction: open,
    leaderSilent: silent,
  }
}

type Since = (topic: string, partition: number, seconds: number | null) => void

/** Exports no series while the value is null. */
function sinceGauge(instruments: Instruments, name: string, help: string): Since {
  const values = new Map<string, readonly [labels: readonly string[], seconds: number]>()
  instruments.gauge(name, help, ['topic', 'partition'], () => [...values.values()])
  return (topic, partition, seconds) => {
    const key = `${topic}:${partition}`
    if (seconds === null) values.delete(key)
    else values.set(key, [[topic, String(partition)], seconds])
  }
}
