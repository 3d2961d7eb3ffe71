/** The measurements: draining a backlog, a paced load, and an idle service. */
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
/** Maximum wait for the last result. */
const WARM_UP_MS = 500

/**
 * The service is paused, for less than its session timeout, while the backlog is written. The measurement starts when
 * it resumes.
 */
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

/**
 * Sends events at an even pace and ignores the first part of them. Results are not read during the run, because a
 * reader takes CPU time from the service and the generator; their timestamps are read afterwards. Then the same is
 * repeated with a reader.
 */
export async function pace(rig: Rig, { perSecond, seconds, warmUpSeconds }: PaceOptions): Promise<Paced> {
  const { service } = rig
  const reader = await startReader(rig)
  await sendPaced(rig, { perSecond, seconds: warmUpSeconds })
  const before = usageOf(service.pid)
  const sentAt = await sendPaced(rig, { perSecond, seconds })
  await delay(WARM_UP_MS)
  const after = usageOf(service.pid)
  reader.resume()
  const record = (await reader.resultsOf(sentAt)).map(({ writtenMs, sentMs }) => writtenMs - sentMs)
  const sentToReader = await sendPaced(rig, { perSecond, seconds })
  const visible = (await reader.resultsOf(sentToReader)).map(({ readMs, sentMs }) => readMs - sentMs)
  await reader.stop()
  return {
    recordP50Ms: percentile(record, 0.5),
    recordP99Ms: percentile(record, 0.99),
    visibleP50Ms: percentile(visible, 0.5),
    visibleP99Ms: percentile(visible, 0.99),
    cpuMsPerRecord: Math.round(((after.cpuMs - before.cpuMs) / sentAt.size) * 100) / 100,
  }
}

/** Reads results from the current end of the topic. The reader is paused until `resume` is called. */
async function startReader({ kafka, environment }: Rig) {
  const { groupId, topics } = environment
  const read = new Map<string, { writtenMs: number; readMs: number }>()
  const consumer = kafka.consumer({ groupId: `${groupId}-bench-reader`, maxWaitTimeInMs: 500 })
  await consumer.connect()
  await consumer.subscribe({ topics: [topics.result], fromBeginning: false })
  const joined = new Promise((resolve) => void consumer.on(consumer.events.GROUP_JOIN, resolve))
  await consumer.run({
    eachBatch: ({ batch }) => {
      const readMs = Date.now()
      for (const { key, timestamp } of batch.messages)
        read.set(key?.toString() ?? '', { writtenMs: Number(timestamp), readMs })
      return Promise.resolve()
    },
  })
  await joined
  const all = [{ topic: topics.result }]
  consumer.pause(all)
  return {
    resume: () => consumer.resume(all),
    resultsOf: async (sentAt: ReadonlyMap<string, number>) => {
      while (![...sentAt.keys()].every((key) => read.has(key))) await delay(POLL_MS)
      return [...read].flatMap(([key, { writtenMs, readMs }]) => {
        const sentMs = sentAt.get(key)
        return sentMs === undefined ? [] : [{ sentMs, writtenMs, readMs }]
      })
    },
    stop: () => consumer.disconnect(),
  }
}

export interface PaceOptions {
  readonly perSecond: number
  readonly seconds: number
  readonly warmUpSeconds: number
}

/** Numbers that no backlog uses. */
let nextNumber = 1_000_000_000

/** Returns when each event was sent, by key. */
async function sendPaced(
  { producer, environment, encode }: Rig,
  { perSecond, seconds }: Omit<PaceOptions, 'warmUpSeconds'>,
): Promise<ReadonlyMap<string, number>> {
  const sentAt = new Map<string, number>()
  const startedMs = performance.now()
  const sends: Promise<unknown>[] = []
  for (let sent = 0; sent < perSecond * seconds;) {
    const due = Math.floor(((performance.now() - startedMs) * perSecond) / 1000)
    for (; sent < due; sent += 1) {
      const next = message(encode, nextNumber++)
      sentAt.set(next.key, Number(next.timestamp))
      sends.push(producer.send({ topic: environment.topics.input, messages: [next] }))
    }
    await delay(1)
  }
  await Promise.all(sends)
  return sentAt
}

/** The share of one core that the idle service uses. */
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
