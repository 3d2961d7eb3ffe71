/** `npm start -- simulate`: serves a simulated CheckResult API on this machine. It needs no account and no settings. */
import closeWithGrace from 'close-with-grace'
import { Command, InvalidArgumentError } from 'commander'
import { integer } from '../src/config/arguments.ts'
import { EXIT_FAILED } from '../src/config/exit-codes.ts'
import { NAME } from '../src/version.ts'
import { openArrivalLog } from './arrival-log.ts'
import { SCENARIOS } from './scenarios.ts'
import { startSimulator } from './simulator.ts'

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

export function createSimulateCommand(): Command {
  return new Command(`${NAME} simulate`)
    .description('serve a simulated CheckResult API on 127.0.0.1; needs no account and no settings')
    .option('--port <port>', 'port to listen on; 0 picks a free one', integer(0, 65_535), 8080)
    .option('--qps <N>', 'maximum number of calls in any second, or unlimited', perSecond, 10)
    .option('--latency <ms>', 'latency of each answer', integer(0), 150)
    .option('--jitter <ms>', 'maximum random addition to the latency', integer(0), 0)
    .option('--mix <name=weight,...>', 'weights of the scenarios for transaction ids that name none', mix)
    .option('--seed <N>', 'seed for the random choices', integer(0), 1)
    .option('--access-key-id <id>', 'access key id that the simulator accepts', 'simulator')
    .option('--access-key-secret <secret>', 'its secret', 'simulator-secret')
    .option('--security-token <token>', 'its security token, for temporary credentials')
    .option(
      '--arrivals <file>',
      'write one line per call: monotonic time in nanoseconds, scenario, response code',
    )
    .addHelpText('after', () => `\n${scenarioTable()}`)
    .action(simulate)
}

async function simulate(options: Options): Promise<void> {
  const { port, qps, latency, jitter, seed, accessKeyId, accessKeySecret, securityToken } = options
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
    process.stderr.write(`${messageFor(error, options)}\n`)
    process.exitCode = EXIT_FAILED
  }
}

function messageFor(error: unknown, { port, arrivals }: Options): string {
  const { code, syscall } = error as { code?: unknown; syscall?: unknown }
  if (code === 'EADDRINUSE') return `Port ${port} is already in use: choose another one with --port.`
  if (syscall === 'open')
    return `Cannot write to ${arrivals} (${String(code)}): choose another file with --arrivals.`
  return error instanceof Error ? error.message : 'The simulator cannot start.'
}

function scenarioTable(): string {
  const width = Math.max(...SCENARIOS.map(({ name }) => name.length))
  const rows = SCENARIOS.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`)
  return [
    'Transaction ids contain letters and digits only. The beginning of the id chooses the scenario:',
    ...rows,
  ].join('\n')
}

function perSecond(text: string): number | 'unlimited' {
  if (text === 'unlimited') return text
  const number = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (number === 0) throw new InvalidArgumentError('Expected an integer >= 1, or unlimited.')
  return number
}

function mix(text: string): Record<string, number> {
  const entries = text.split(',').map((part) => {
    const [name = '', weight = '1'] = part.split('=')
    return [name.trim(), Number(weight)] as const
  })
  if (entries.some(([, weight]) => !(weight >= 0)))
    throw new InvalidArgumentError('Expected weights >= 0, for example passpassport=3,notyet=1.')
  return Object.fromEntries(entries)
}
