/**
 * `npm run bench`: measures the service on a real broker. Prints the figures, appends them to bench/results.jsonl and
 * updates the table in docs/benchmarks.md.
 */
import { availableParallelism } from 'node:os'
import { Option, program } from 'commander'
import { integer } from '../src/cli/arguments.ts'
import { DELIVERIES, type Delivery } from '../src/core/delivery.ts'
import { VERSION } from '../src/version.ts'
import { drain, idle, pace, type Drained } from './bench/measure.ts'
import { startRig, type Contender, type HeapKind, type UpstreamKind } from './bench/rig.ts'
import { writeMeasuredPages } from './generate-benchmarks.ts'
import { commit, keepRun } from './measurements.ts'

interface Options {
  readonly events: number
  readonly warmUp: number
  readonly runs: number
  readonly perSecond: number
  readonly seconds: number
  readonly upstream: UpstreamKind
  readonly heap: HeapKind
  readonly contender: Contender
  readonly delivery: Delivery
  readonly save: boolean
}

const options = program
  .description(
    'Measures how fast the service drains a backlog, its latency under a steady load, its memory and its idle CPU.',
  )
  .option('--events <N>', 'number of events in each backlog', integer(0), 20_000)
  .option('--warm-up <N>', 'number of backlogs to drain before the measurement', integer(0), 25)
  .option('--runs <N>', 'number of backlogs to measure; the figures are medians', integer(0), 3)
  .option('--per-second <N>', 'events per second of the steady load', integer(0), 200)
  .option('--seconds <N>', 'duration of the steady load in seconds; 0 skips it', integer(0), 20)
  .addOption(
    new Option('--upstream <kind>', 'server that stands in for the API: the simulator, or a minimal one')
      .choices(['simulator', 'lean'])
      .default('simulator'),
  )
  .addOption(
    new Option('--heap <kind>', 'heap of the service: as in a 256 MB container, or the default of Node.js')
      .choices(['small', 'default'])
      .default('small'),
  )
  .addOption(
    new Option('--contender <kind>', 'program to measure: the service, or a hand-written consumer')
      .choices(['service', 'hand-rolled'])
      .default('service'),
  )
  .addOption(
    new Option('--delivery <mode>', 'KAFKA_DELIVERY of the service')
      .choices(DELIVERIES)
      .default('exactly-once'),
  )
  .option('--no-save', 'do not save the figures')
  .parse()
  .opts<Options>()

if (options.contender === 'hand-rolled' && options.upstream !== 'lean')
  program.error(
    'The hand-written consumer does not sign its calls, so the simulator rejects them. Add --upstream lean.',
  )

const say = (line: string): void => void process.stderr.write(`${line}\n`)
/**
 * Warm-up of the steady load. The backlogs do not exercise Kafka's JIT compiler for transactions that come one at a
 * time.
 */
const WARM_UP_SECONDS = 30
const IDLE_SECONDS = 10

const rig = await startRig({ ...options, report: say })
try {
  await Promise.race([measure(), endOfService()])
} finally {
  await rig.stop()
}

/** Rejects if the service ends, because its missing results would otherwise be awaited forever. */
async function endOfService(): Promise<never> {
  const code = await rig.service.exited
  throw new Error(`The service exited during the measurement (${code ?? 'killed'}):\n${rig.service.output()}`)
}

async function measure(): Promise<void> {
  const idlePercent = await idle(rig, IDLE_SECONDS)
  say(`idle: ${idlePercent} % of a core`)
  // Warm up the JIT compilers of Node and Java. At first, Kafka's uses as much CPU as the service.
  await drainSome('warm-up', options.warmUp)
  const drains = await drainSome('drain', options.runs)
  const { perSecond, seconds, contender, delivery, upstream, heap, events, warmUp } = options
  const paced = seconds === 0 ? null : await pace(rig, { perSecond, seconds, warmUpSeconds: WARM_UP_SECONDS })
  const run = {
    version: VERSION,
    commit: commit(),
    at: new Date().toISOString(),
    node: process.version,
    cores: availableParallelism(),
    contender,
    delivery: contender === 'service' ? delivery : 'at-least-once',
    upstream,
    heap,
    events,
    warmUp,
    runs: drains.length,
    resultsPerSecond: median(drains.map((drained) => drained.resultsPerSecond)),
    cpuUsPerRecord: median(drains.map((drained) => drained.cpuUsPerRecord)),
    peakMemoryMb: Math.max(...drains.map((drained) => drained.peakMemoryMb)),
    idlePercent,
    perSecond,
    ...paced,
  }
  process.stdout.write(`${JSON.stringify(run)}\n`)
  if (!options.save) return
  keepRun('results', run)
  await writeMeasuredPages()
}

async function drainSome(name: string, count: number): Promise<Drained[]> {
  const drains: Drained[] = []
  for (let run = 1; run <= count; run += 1) {
    const drained = await drain(rig, options.events)
    drains.push(drained)
    say(`${name} ${run}: ${JSON.stringify(drained)}`)
  }
  return drains
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
