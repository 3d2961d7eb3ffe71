/** Runs the service as a process and reads its health and metrics. */
import { setTimeout as delay } from 'node:timers/promises'
import { MAIN, startNode, type Env, type Running } from './commands.ts'

export interface ServiceProcess extends Running {
  readonly opsUrl: string
  /** Resolves when /readyz answers 200. Rejects if the process ends first. */
  ready(): Promise<void>
  metrics(): Promise<string>
}

const POLL_MS = 20
export const SERVICE: readonly string[] = [MAIN, 'run']

/** `nodeArgs`: Node's own options, then the program. By default, the service. */
export async function startServiceProcess(
  env: Env,
  nodeArgs: readonly string[] = SERVICE,
): Promise<ServiceProcess> {
  const running = startNode(nodeArgs, env)
  const [, opsUrl = ''] = await running.line(/"address":"([^"]+)"/)
  return {
    ...running,
    opsUrl,
    ready: () => untilReady(running, opsUrl),
    metrics: async () => (await fetch(`${opsUrl}/metrics`)).text(),
  }
}

/** Polls the endpoint, because the service does not announce that it is ready. */
async function untilReady(running: Running, opsUrl: string): Promise<void> {
  const process = { ended: false }
  void running.exited.then(() => {
    process.ended = true
  })
  while (!process.ended) {
    const response = await fetch(`${opsUrl}/readyz`).catch(() => null)
    await response?.body?.cancel()
    if (response?.ok === true) return
    await delay(POLL_MS)
  }
  throw new Error(`The service ended before it was ready:\n${running.output()}`)
}

/** The value of one series, or the sum of all series that start with `name`. */
export function metricSum(exposition: string, name: string): number {
  return exposition
    .split('\n')
    .filter((line) => line.startsWith(name))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
