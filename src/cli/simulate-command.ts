/** `simulate`: the CheckResult API on this machine, without an account. */
import closeWithGrace from 'close-with-grace'
import { InvalidArgumentError, type Command } from 'commander'
import { SCENARIOS } from '../simulator/scenarios.ts'
import { EXIT_FAILED } from './settings.ts'

interface Options {
  readonly port: number
  readonly qps: number | 'unlimited'
  readonly latency: number
  readonly jitter: number
  readonly mix?: Record<string, number>
  readonly seed: number
  readonly accessKeyId: string
  readonly accessKeySecret: string
  readonly securityToken?: string
  readonly arrivals?: string
}

const CLOSE_WITHIN_MS = 2_000

export function addSimulateCommand(program: Command): void {
  program
    .command('simulate')
    .description('serve a simulated CheckResult API on loopback')
    .option('--port <port>', 'port; 0 takes a free one', wholeNumber, 8080)
    .option('--qps <N>', 'calls in any second, or unlimited', perSecond, 10)
    .option('--latency <ms>', 'time to each answer', wholeNumber, 150)
    .option('--jitter <ms>', 'added at random, at most', wholeNumber, 0)
    .option('--mix <name=weight,...>', 'outcomes of ids that name none', mix)
    .option('--seed <N>', 'chooses among them', wholeNumber, 1)
    .option('--access-key-id <id>', 'the key it knows', 'simulator')
    .option('--access-key-secret <secret>', 'and its secret', 'simulator-secret')
    .option('--security-token <token>', 'with temporary credentials')
    .option('--arrivals <file>', 'log each call: nanoseconds (monotonic), scenario, code of the answer')
    .addHelpText('after', () => `\n${scenarioTable()}`)
    .action(simulate)
}

async function simulate(options: Options): Promise<void> {
  const { port, qps, latency, jitter, seed, accessKeyId, accessKeySecret, securityToken } = options
  const [{ openArrivalLog }, { startSimulator }] = await Promise.all([
    import('../simulator/arrival-log.ts'),
    import('../simulator/simulator.ts'),
  ])
  try {
    const arrivals = options.arrivals === undefined ? null : openArrivalLog(options.arrivals)
    const simulator = await startSimulator({
      port,
      qps,
      latencyMs: latency,
      jitterMs: jitter,
      seed,
      credentials: { accessKeyId, accessKeySecret, securityToken },
      ...(options.mix === undefined ? {} : { mix: options.mix }),
      ...(arrivals === null ? {} : { onArrival: arrivals.write }),
    })
    process.stdout.write(
      `export CHECKRESULT_ENDPOINT=${simulator.url}\n` +
        `export CHECKRESULT_QPS=${qps}\n` +
        `export ALIBABA_CLOUD_ACCESS_KEY_ID=${accessKeyId}\n` +
        `export ALIBABA_CLOUD_ACCESS_KEY_SECRET=${accessKeySecret}\n` +
        (securityToken === undefined ? '' : `export ALIBABA_CLOUD_SECURITY_TOKEN=${securityToken}\n`),
    )
    closeWithGrace({ delay: CLOSE_WITHIN_MS }, async () => {
      process.stdout.write(`${JSON.stringify(simulator.report(), null, 2)}\n`)
      await simulator.close()
      await arrivals?.close()
    })
  } catch (error) {
    process.stderr.write(`${sentence(error, options)}\n`)
    process.exitCode = EXIT_FAILED
  }
}

function sentence(error: unknown, { port, arrivals }: Options): string {
  const { code, syscall } = error as { code?: unknown; syscall?: unknown }
  if (code === 'EADDRINUSE') return `Port ${port} is taken: choose another with --port.`
  if (syscall === 'open')
    return `${arrivals} cannot be written (${String(code)}): choose another with --arrivals.`
  return error instanceof Error ? error.message : 'The simulator could not be started.'
}

function scenarioTable(): string {
  const width = Math.max(...SCENARIOS.map(({ name }) => name.length))
  const rows = SCENARIOS.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`)
  return ['A transaction id that begins so is answered so:', ...rows].join('\n')
}

function wholeNumber(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 0) throw new InvalidArgumentError('A whole number is wanted.')
  return number
}

function perSecond(text: string): number | 'unlimited' {
  if (text === 'unlimited') return text
  const number = wholeNumber(text)
  if (number === 0) throw new InvalidArgumentError('At least 1, or unlimited.')
  return number
}

function mix(text: string): Record<string, number> {
  const entries = text.split(',').map((part) => {
    const [name = '', weight = '1'] = part.split('=')
    return [name.trim(), Number(weight)] as const
  })
  if (entries.some(([, weight]) => !(weight >= 0)))
    throw new InvalidArgumentError('Weights are numbers from 0 on.')
  return Object.fromEntries(entries)
}
