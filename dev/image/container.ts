/** Runs one container of an image, with no more rights than a strict cluster grants. */
import { randomUUID } from 'node:crypto'
import type { Env } from '../harness/commands.ts'
import type { Engine } from './engine.ts'

/** Not even an in-memory scratch folder is writable. */
export const HARDENED = [
  '--read-only',
  '--read-only-tmpfs=false',
  '--cap-drop=ALL',
  '--security-opt=no-new-privileges',
  '--memory=256m',
  '--pids-limit=100',
]

export interface Container {
  readonly name: string
  /** The output so far, of both streams. */
  readonly logs: () => Promise<string>
  /** Runs a program of the image in the container. */
  readonly exec: (...command: readonly string[]) => Promise<string>
  readonly isHealthy: () => Promise<boolean>
  /** Sends SIGTERM, and SIGKILL after `seconds`. Returns the exit code. */
  readonly stop: (seconds: number) => Promise<number>
  readonly remove: () => Promise<void>
}

export interface ContainerOptions {
  readonly image: string
  readonly env: Env
  readonly args?: readonly string[]
}

/** Uses the host's network, where the local stack is. */
export async function startContainer(engine: Engine, options: ContainerOptions): Promise<Container> {
  const { image, env, args = [] } = options
  const name = `checkresult-test-${randomUUID().slice(0, 8)}`
  const variables = Object.entries(env).flatMap(([key, value]) => ['-e', `${key}=${value}`])
  const flags = ['-d', '--name', name, '--pull=never', '--network', 'host', ...HARDENED]
  await engine.podman('run', ...flags, ...variables, image, ...args)
  const inspect = async (format: string): Promise<string> =>
    (await engine.podman('inspect', '--format', format, name)).trim()
  return {
    name,
    logs: () => engine.podman('logs', name),
    exec: (...command) => engine.podman('exec', name, ...command),
    isHealthy: () =>
      engine.podman('healthcheck', 'run', name).then(
        () => true,
        () => false,
      ),
    stop: async (seconds) => {
      await engine.podman('stop', '-t', String(seconds), name)
      return Number(await inspect('{{.State.ExitCode}}'))
    },
    remove: async () => void (await engine.podman('rm', '-f', '-t', '0', name)),
  }
}
