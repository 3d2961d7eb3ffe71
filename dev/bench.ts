/** `npm run bench`: measures the service by number of partitions on a real broker, in turns with a hand-written consumer. */
import Table from 'cli-table3'
import { VERSION } from '../src/version.ts'
import { measure } from './bench/measure.ts'
import { parseOptions, type Contender } from './bench/options.ts'
import { startRig, type Width } from './bench/rig.ts'
import { figureTable, medians } from './bench/table.ts'
import { writeMeasuredPages } from './generate-benchmarks.ts'
import { keepRun, originOf, type Figures, type WidthRow } from './measurements.ts'

const args = process.argv.slice(2)
const options = parseOptions(args)
/** Of the run that does not count. */
const FIRST_BACKLOG = 50_000
const say = (line: string): void => void process.stderr.write(`${line}\n`)

interface Candidate {
  readonly name: string
  readonly width: Width
  readonly contender: Contender
  readonly figures: Figures[]
}

const rig = await startRig(options, say)
try {
  const widths = []
  for (const partitions of options.partitions) widths.push(await rig.open(partitions))
  const candidates = widths.flatMap((width) =>
    options.contenders.map((contender): Candidate => {
      return { name: `${contender}, ${width.partitions} partitions`, width, contender, figures: [] }
    }),
  )
  // Does not count: it fills Node's compile cache, and Kafka's JIT compiler takes CPU time from it.
  for (const first of candidates.slice(0, options.contenders.length))
    await addRun({ ...first, figures: [] }, 0, Math.min(options.backlog, FIRST_BACKLOG))
  for (let run = 1; run <= options.runs; run += 1)
    for (const candidate of candidates) await addRun(candidate, run, options.backlog)
  await report(candidates)
} finally {
  await rig.stop()
}

/** The other programs are measured even if this one crashes. */
async function addRun(
  { name, width, contender, figures }: Candidate,
  run: number,
  backlog: number,
): Promise<void> {
  try {
    const measured = await measure(width, contender, { ...options, backlog })
    figures.push(measured)
    say(`${name}, run ${run}: ${JSON.stringify(measured)}`)
  } catch (error) {
    process.exitCode = 1
    say(`${name}, run ${run} failed: ${String(error)}`)
  }
}

async function report(candidates: readonly Candidate[]): Promise<void> {
  const { backlog, delivery, upstream, runs, perSecond } = options
  const rows = candidates.map(({ width: { partitions }, contender, figures }): WidthRow => {
    return { partitions, contender, failed: runs - figures.length, ...medians(figures) }
  })
  const command = ['npm run bench --', ...args.filter((arg) => arg !== '--save')].join(' ')
  const run = {
    ...originOf(command.replace(/ --$/, '')),
    version: VERSION,
    node: process.version,
    delivery,
    upstream,
    backlog,
    runs,
    perSecond,
    rows,
  }
  const { head, rows: cells } = figureTable(run)
  const table = new Table({ head, style: { head: [], border: [] } })
  table.push(...cells)
  process.stdout.write(`${table.toString()}\n`)
  if (!options.save) return
  keepRun('widths', run)
  await writeMeasuredPages()
}
