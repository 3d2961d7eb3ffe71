/** What is wrong with the logs of the partitions this replica reads. */
import type { Metrics } from '../../ports.ts'
import type { Instruments } from './instruments.ts'

type LogMetrics = Pick<Metrics, 'offsetsLost' | 'openTransaction' | 'leaderSilent'>

export function logMetrics(instruments: Instruments, topics: readonly string[]): LogMetrics {
  const lost = instruments.counter(
    'offsets_lost_total',
    'Offsets that were deleted from the topic before the service had processed them.',
    { topic: topics },
  )
  const open = sinceGauge(
    instruments,
    'open_transaction_seconds',
    'How long an open transaction of a producer has kept records of the partition from being read; absent while none does.',
  )
  const silent = sinceGauge(
    instruments,
    'partition_leader_silent_seconds',
    'How long the leader of the partition has not answered; absent while it does.',
  )
  return {
    offsetsLost: (topic, offsets) => lost([topic], offsets),
    openTransaction: open,
    leaderSilent: silent,
  }
}

type Since = (topic: string, partition: number, seconds: number | null) => void

/** Absent where it is null. */
function sinceGauge(instruments: Instruments, name: string, help: string): Since {
  const values = new Map<string, readonly [labels: readonly string[], seconds: number]>()
  instruments.gauge(name, help, ['topic', 'partition'], () => [...values.values()])
  return (topic, partition, seconds) => {
    const key = `${topic}:${partition}`
    if (seconds === null) values.delete(key)
    else values.set(key, [[topic, String(partition)], seconds])
  }
}
