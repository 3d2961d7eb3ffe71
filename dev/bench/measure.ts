/** The measurements: draining a backlog, a paced load, and doing nothing. */
import { setTimeout as delay } from 'node:timers/promises'
import { usageOf } from '../harness/usage.ts'
import { committed, message, type Rig } from './rig.ts'

export interface Drained {
  readonly resultsPerSecond: number
  readonly cpuUsPerRecord: number
  readonly peakMemoryMb: number
}

const BATCH = 1_000
const POLL_MS = 100

/** The service is stopped while its backlog is laid, well within its session, and timed from when it goes on. */
export async function drain(rig: Rig, events: number): Promise<Drained> {
  const { service, producer, environment, encode } = rig
  const done = await committed(rig)
  service.signal('SIGSTOP')
  for (let at = 0; at < events; at += BATCH) {
    const count = Math.min(BATCH, events - at)
    const messages = Array.from({ length: count }, (_, index) => message(encode, done + at + index))
    await producer.send({ topic: environment.topics.input, messages })
  }
  const before = usageOf(service.pid)
  const startedMs = performance.now()
  service.signal('SIGCONT')
  while ((await committed(rig)) < done + events) await delay(POLL_MS)
  const seconds = (performance.now() - startedMs) / 1000
  const after = usageOf(service.pid)
  return {
    resultsPerSecond: Math.round(events / seconds),
    cpuUsPerRecord: Math.round(((after.cpuMs - before.cpuMs) * 1000) / events),
    peakMemoryMb: Math.round(after.peakMemoryMb),
  }
}

export interface Paced {
  /** From the event record's timestamp to the result record's. */
  readonly recordP50Ms: number
  readonly recordP99Ms: number
  /** From the event record's timestamp to a read_committed consumer having the result. */
  readonly visibleP50Ms: number
  readonly visibleP99Ms: number
  readonly cpuMsPerRecord: number
}

/** Events at an even pace, after a while of it that is not counted. */
export async function pace(rig: Rig, { perSecond, seconds, warmUpSeconds }: PaceOptions): Promise<Paced> {
  const { kafka, environment, service } = rig
  const record: number[] = []
  const visible: number[] = []
  const countedFromMs = Date.now() + warmUpSeconds * 1000
  const sentAt = new Map<string, number>()
  const consumer = kafka.consumer({ groupId: `${environment.groupId}-bench-reader`, maxWaitTimeInMs: 500 })
  await consumer.connect()
  await consumer.subscribe({ topics: [environment.topics.result], fromBeginning: false })
  await consumer.run({
    eachBatch: ({ batch }) => {
      const nowMs = Date.now()
      for (const { key, timestamp } of batch.messages) {
        const sentMs = sentAt.get(key?.toString() ?? '')
        if (sentMs === undefined || sentMs < countedFromMs) continue
        record.push(Number(timestamp) - sentMs)
        visible.push(nowMs - sentMs)
      }
      return Promise.resolve()
    },
  })
  await sendPaced(rig, { perSecond, seconds: warmUpSeconds, sentAt })
  const before = usageOf(service.pid)
  await sendPaced(rig, { perSecond, seconds, sentAt })
  const total = perSecond * seconds
  while (visible.length < total) await delay(POLL_MS)
  const after = usageOf(service.pid)
  await consumer.disconnect()
  return {
    recordP50Ms: percentile(record, 0.5),
    recordP99Ms: percentile(record, 0.99),
    visibleP50Ms: percentile(visible, 0.5),
    visibleP99Ms: percentile(visible, 0.99),
    cpuMsPerRecord: Math.round(((after.cpuMs - before.cpuMs) / total) * 100) / 100,
  }
}

export interface PaceOptions {
  readonly perSecond: number
  readonly seconds: number
  readonly warmUpSeconds: number
}

async function sendPaced(
  { producer, environment, encode }: Rig,
  { perSecond, seconds, sentAt }: { perSecond: number; seconds: number; sentAt: Map<string, number> },
): Promise<void> {
  const startedMs = performance.now()
  const sends: Promise<unknown>[] = []
  for (let sent = 0; sent < perSecond * seconds;) {
    const due = Math.floor(((performance.now() - startedMs) * perSecond) / 1000)
    for (; sent < due; sent += 1) {
      const next = message(encode, 1_000_000_000 + sentAt.size)
      sentAt.set(next.key, Number(next.timestamp))
      sends.push(producer.send({ topic: environment.topics.input, messages: [next] }))
    }
    await delay(1)
  }
  await Promise.all(sends)
}

/** Share of one core that the service takes while there is nothing to do. */
export async function idle({ service }: Rig, seconds: number): Promise<number> {
  const before = usageOf(service.pid)
  await delay(seconds * 1000)
  const usedMs = usageOf(service.pid).cpuMs - before.cpuMs
  return Math.round((usedMs / (seconds * 1000)) * 1000) / 10
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
