/** The measurements of one life of a process, from its start to its stop. */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { ServiceProcess } from '../harness/service.ts'
import { connectionsOf, usageOf } from '../harness/usage.ts'
import type { Figures } from '../measurements.ts'
import type { Contender, Options } from './options.ts'
import { startReader } from './reader.ts'
import { committed, groupIsEmpty, message, startContender, written, type Width } from './rig.ts'

type Load = Pick<Options, 'backlog' | 'perSecond' | 'seconds'>

interface Life {
  readonly width: Width
  readonly process: ServiceProcess
  readonly startedMs: number
  /** Aborted if the process ends, or is too slow to wait for. */
  readonly signal: AbortSignal
}

const BATCH = 1_000
const POLL_MS = 100
const MIN_RESULTS_PER_SECOND = 500
const MAX_OVERHEAD_MS = 120_000
/** Characters of the last output in an error message. */
const MAX_OUTPUT = 2_000
const IDLE_MS = 8_000
/** Lets the work that follows a load end, before CPU time is read. */
const SETTLE_MS = 500
/** Events that come one at a time are slower at first, because the JIT compilers have only seen a backlog. */
const WARM_UP_SECONDS = 2

/** Rejects if the process ends by itself or is too slow. */
export async function measure(width: Width, contender: Contender, load: Load): Promise<Figures> {
  return live(width, contender, load.backlog, async (life) => {
    const { pid } = life.process
    await life.process.ready()
    const readyMs = Math.round(performance.now() - life.startedMs)
    const drained = await drain(life, load.backlog)
    const connections = connectionsOf(pid, width.brokerPort)
    const idlePercent = await idle(life)
    const paced = await pace(life, load)
    return {
      readyMs,
      ...drained,
      peakMemoryMb: Math.round(usageOf(pid).peakMemoryMb),
      connections: Math.max(connections, connectionsOf(pid, width.brokerPort)),
      idlePercent,
      ...paced,
    }
  })
}

/** Starts the process when the backlog is complete and the group has no member left, and stops it in the end. */
async function live<T>(
  width: Width,
  contender: Contender,
  backlog: number,
  work: (life: Life) => Promise<T>,
): Promise<T> {
  await fill(width, backlog)
  while (!(await groupIsEmpty(width))) await delay(POLL_MS)
  const startedMs = performance.now()
  const process = await startContender(width, contender)
  const ended = new AbortController()
  void process.exited.then((code) => {
    ended.abort(new Error(`The process ended (${code ?? 'killed'}):\n${process.output().slice(-MAX_OUTPUT)}`))
  })
  const maxMs = MAX_OVERHEAD_MS + (backlog * 1000) / MIN_RESULTS_PER_SECOND
  const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(maxMs)])
  try {
    return await Promise.race([work({ width, process, startedMs, signal }), aborted(signal)])
  } finally {
    await process.stop()
  }
}

async function aborted(signal: AbortSignal): Promise<never> {
  await once(signal, 'abort')
  throw signal.reason
}

/** Adds events until so many wait. A process that ended early has left some. */
async function fill(width: Width, backlog: number): Promise<void> {
  const { producer, environment } = width
  const missing = backlog - (await written(width)) + (await committed(width))
  for (let at = 0; at < missing; at += BATCH) {
    const messages = Array.from({ length: Math.min(BATCH, missing - at) }, () => message(width))
    await producer.send({ topic: environment.topics.input, messages })
  }
}

type Drained = Pick<Figures, 'coldPerSecond' | 'coldCpuUs' | 'warmPerSecond' | 'warmCpuUs'>

/** Cold is the first half of the backlog, warm is the second. */
async function drain(life: Life, backlog: number): Promise<Drained> {
  const end = await written(life.width)
  const begin = await mark(life, 0)
  const middle = await mark(life, end - Math.floor(backlog / 2))
  const all = await mark(life, end)
  const [cold, warm] = [between(begin, middle), between(middle, all)]
  return {
    coldPerSecond: cold.perSecond,
    coldCpuUs: cold.cpuUs,
    warmPerSecond: warm.perSecond,
    warmCpuUs: warm.cpuUs,
  }
}

interface Mark {
  readonly count: number
  readonly atMs: number
  readonly cpuMs: number
}

/** The state of the process once it has committed `min` results. */
async function mark({ width, process, signal }: Life, min: number): Promise<Mark> {
  for (;;) {
    const count = await committed(width)
    if (count >= min) return { count, atMs: performance.now(), cpuMs: usageOf(process.pid).cpuMs }
    await delay(POLL_MS, undefined, { signal })
  }
}

function between(from: Mark, to: Mark): { readonly perSecond: number; readonly cpuUs: number } {
  const count = to.count - from.count
  return {
    perSecond: Math.round((count * 1000) / (to.atMs - from.atMs)),
    cpuUs: Math.round(((to.cpuMs - from.cpuMs) * 1000) / count),
  }
}

/** The share of one core that the idle process uses. */
async function idle({ process, signal }: Life): Promise<number> {
  await delay(SETTLE_MS, undefined, { signal })
  const before = usageOf(process.pid)
  await delay(IDLE_MS, undefined, { signal })
  return Math.round(((usageOf(process.pid).cpuMs - before.cpuMs) / IDLE_MS) * 1000) / 10
}

type Paced = Omit<Figures, keyof Drained | 'readyMs' | 'peakMemoryMb' | 'connections' | 'idlePercent'>

/**
 * Sends events at an even pace. Results are not read during the run, because a reader takes CPU time from the service
 * and the generator; their timestamps are read afterwards. Then the same is repeated with a reader.
 */
async function pace(life: Life, { perSecond, seconds }: Load): Promise<Paced> {
  const { width, process, signal } = life
  const reader = await startReader(width, signal)
  await sendPaced(life, perSecond, WARM_UP_SECONDS)
  const before = usageOf(process.pid)
  const sentAt = await sendPaced(life, perSecond, seconds)
  await delay(SETTLE_MS, undefined, { signal })
  const after = usageOf(process.pid)
  reader.resume()
  const record = (await reader.resultsOf(sentAt)).map(({ writtenMs, sentMs }) => writtenMs - sentMs)
  const sentToReader = await sendPaced(life, perSecond, seconds)
  const visible = (await reader.resultsOf(sentToReader)).map(({ readMs, sentMs }) => readMs - sentMs)
  await reader.stop()
  return {
    recordP50Ms: percentile(record, 0.5),
    recordP90Ms: percentile(record, 0.9),
    recordP99Ms: percentile(record, 0.99),
    visibleP50Ms: percentile(visible, 0.5),
    visibleP90Ms: percentile(visible, 0.9),
    visibleP99Ms: percentile(visible, 0.99),
    pacedCpuMs: Math.round(((after.cpuMs - before.cpuMs) / sentAt.size) * 100) / 100,
  }
}

/** Returns when each event was sent, by key. */
async function sendPaced(
  { width, signal }: Life,
  perSecond: number,
  seconds: number,
): Promise<ReadonlyMap<string, number>> {
  const sentAt = new Map<string, number>()
  const startedMs = performance.now()
  const sends: Promise<unknown>[] = []
  for (let sent = 0; sent < perSecond * seconds;) {
    const due = Math.floor(((performance.now() - startedMs) * perSecond) / 1000)
    for (; sent < due; sent += 1) {
      const next = message(width)
      sentAt.set(next.key, Number(next.timestamp))
      sends.push(width.producer.send({ topic: width.environment.topics.input, messages: [next] }))
    }
    await delay(1, undefined, { signal })
  }
  await Promise.all(sends)
  return sentAt
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
