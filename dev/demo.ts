/**
 * `npm run demo`: sends a few hundred events through the whole system on this machine, shows and checks them, and
 * cleans up.
 */
import closeWithGrace from 'close-with-grace'
import { Command, Option } from 'commander'
import { checkOutputs, checkQuota, matchOutputs } from './demo/check.ts'
import { planEvents } from './demo/plan.ts'
import { createDisplay } from './demo/progress.ts'
import { startDemoPrometheus } from './demo/prometheus.ts'
import { readOutputs } from './demo/read-back.ts'
import { sendEvents } from './demo/send.ts'
import { QPS, startEverything, type Started } from './demo/start.ts'
import { summaryOf, type Findings } from './demo/summary.ts'
import { watchUntilSettled } from './demo/watch.ts'
import { avroEncoder } from './harness/events.ts'
import { StackError } from './stack/stack-error.ts'
import { integer } from '../src/config/arguments.ts'

/** Below the quota, because some events need more than one call. */
const EVENTS_PER_SECOND = 38
const INTERRUPTED = 130

const options = new Command('demo')
  .description(
    'Sends events through a local Kafka, schema registry and simulated API, and shows and checks the results.',
  )
  .option('--events <N>', 'number of events', integer(1), 400)
  .option('--keep', 'keep everything running until Ctrl-C')
  .addOption(
    new Option('--prometheus', 'also start a Prometheus with our rules; implies --keep').implies({
      keep: true,
    }),
  )
  .parse()
  .opts<{ events: number; keep?: true; prometheus?: true }>()

const running = new AsyncDisposableStack()
let exitCode = INTERRUPTED

// A signal also stops everything. The exit code tells whether the demo had finished.
closeWithGrace({ logger: false, skip: ['beforeExit'] }, async ({ err, signal }) => {
  if (err) say(err.stack ?? err.message)
  if (signal) say('\nStopping ...')
  await running.disposeAsync()
  process.exit(err ? 1 : exitCode)
})

try {
  const started = await startEverything(running, say)
  const prometheusUrl = options.prometheus === true ? await startDemoPrometheus(running, started, say) : null
  const findings = await run(started)
  exitCode = findings.checks.every(({ errors }) => errors.length === 0) ? 0 : 1
  say(summaryOf(findings))
  if (options.keep === true) say(addresses(started, prometheusUrl))
  else await end()
} catch (error) {
  // While the parts stop, their errors are expected.
  if (!running.disposed) {
    if (!(error instanceof StackError)) throw error
    say(error.message)
    exitCode = 1
    await end()
  }
}

async function run(started: Started): Promise<Findings> {
  const { environment, kafka, registryUrl } = started
  const { topics } = environment
  const plan = planEvents(options.events)
  let written = 0
  say(`Sending ${plan.length} events, ${EVENTS_PER_SECOND} per second and the last ones in a burst ...`)
  const [sent, figures] = await Promise.all([
    sendEvents(plan, {
      kafka,
      topic: topics.input,
      encodeAvro: await avroEncoder(registryUrl, topics.input),
      perSecond: EVENTS_PER_SECOND,
      onSent: (events) => (written = events),
    }),
    watchUntilSettled({
      started,
      display: createDisplay(process.stdout),
      planned: plan.length,
      sent: () => written,
    }),
  ])
  say('Reading the outputs ...')
  const matched = matchOutputs(topics.input, sent, await readOutputs(kafka, topics))
  return { matched, figures, qps: QPS, checks: [...checkOutputs(matched), checkQuota(figures.report, QPS)] }
}

function addresses(
  { brokers, registryUrl, simulatorUrl, service }: Started,
  prometheusUrl: string | null,
): string {
  return [
    'Everything is still running:',
    `  Kafka            ${brokers.join()}`,
    `  Schema registry  ${registryUrl}`,
    `  Simulator        ${simulatorUrl} (report: ${simulatorUrl}/_simulator/report)`,
    `  Service          ${service.opsUrl}/metrics`,
    ...(prometheusUrl === null
      ? []
      : [`  Prometheus       ${prometheusUrl} (alerts: ${prometheusUrl}/classic/alerts)`]),
    'Press Ctrl-C to stop.',
  ].join('\n')
}

async function end(): Promise<never> {
  await running.disposeAsync()
  process.exit(exitCode)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
