/** Runs the simulated API as a process of its own, which does not share the CPU time of the caller's event loop. */
import { startCommand, type Running } from './commands.ts'

export interface SimulatorProcess extends Running {
  readonly url: string
}

/** Picks a free port. `options`: of the command `simulate`, without dashes. Resolves when it listens. */
export async function startSimulatorProcess(
  options: Readonly<Record<string, string | number>>,
): Promise<SimulatorProcess> {
  const words = Object.entries({ port: 0, ...options }).flatMap(([name, value]) => [
    `--${name}`,
    String(value),
  ])
  const running = startCommand(['simulate', ...words], {})
  const [, url = ''] = await running.line(/CHECKRESULT_ENDPOINT=(\S+)/)
  return { ...running, url }
}
