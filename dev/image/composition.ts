/**
 * Starts docker-compose.yml with podman-compose, on stand-in images and free ports, under its own project name.
 * Debian's podman is too old to wait for the health of other services, so this file follows the order of
 * `depends_on`: a service starts when the services it depends on are healthy or have exited with 0.
 */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { pickPort } from '../stack/ports.ts'
import { call } from '../tools/install.ts'
import { podmanCompose } from '../tools/podman-compose.ts'
import type { Engine } from './engine.ts'

export interface StartedService {
  readonly name: string
  /** Whether it has a health check. A service without one must exit with 0. */
  readonly watched: boolean
}

export interface CompositionOptions {
  /** In start order. */
  readonly services: readonly StartedService[]
  /** Replaces the images named in the file. */
  readonly images: Readonly<Record<string, string>>
  /** Variables of the file that get a free port. */
  readonly ports: readonly string[]
}

export interface Composition {
  readonly ports: ReadonlyMap<string, number>
  logs(service: string): Promise<string>
  isHealthy(service: string): Promise<boolean>
  /** Stops one service as compose would and returns its exit code. */
  stop(service: string): Promise<number>
  /** Removes everything, including volumes. */
  down(): Promise<void>
}

const FILE = fileURLToPath(new URL('../../docker-compose.yml', import.meta.url))
const HEALTHY_WITHIN_MS = 120_000
const POLL_MS = 500

/** Rejects with a service's log if the service does not become healthy or does not exit with 0. */
export async function startComposition(engine: Engine, options: CompositionOptions): Promise<Composition> {
  const scratch = await mkdtemp(join(tmpdir(), 'checkresult-compose-'))
  const override = join(scratch, 'override.yml')
  const services = Object.fromEntries(
    Object.entries(options.images).map(([name, image]) => [name, { image }]),
  )
  await writeFile(override, stringify({ services }))
  const ports = new Map<string, number>()
  for (const name of options.ports) ports.set(name, await pickPort())
  const project = `checkresult-test-${randomUUID().slice(0, 8)}`
  const program = await podmanCompose()
  const env = {
    ...engine.env,
    ...Object.fromEntries([...ports].map(([name, port]) => [name, String(port)])),
  }
  const compose = async (...args: readonly string[]): Promise<string> =>
    call('python3', [program, '-p', project, '-f', FILE, '-f', override, ...args], { env })
  const containerOf = (service: string): string => `${project}_${service}_1`
  const composition: Composition = {
    ports,
    logs: (service) => engine.podman('logs', '--tail', '30', containerOf(service)),
    isHealthy: (service) => succeeds(engine.podman('healthcheck', 'run', containerOf(service))),
    stop: async (service) => {
      await compose('stop', service)
      return Number(await engine.podman('wait', containerOf(service)))
    },
    down: async () => {
      await compose('down', '--volumes', '-t', '1')
      await rm(scratch, { recursive: true, force: true })
    },
  }
  try {
    for (const service of options.services) {
      await compose('up', '-d', '--no-build', '--no-deps', service.name)
      await (service.watched ? untilHealthy : untilDone)(service.name)
    }
    return composition
  } catch (error) {
    await composition.down()
    throw error
  }

  async function untilHealthy(service: string): Promise<void> {
    const deadline = Date.now() + HEALTHY_WITHIN_MS
    while (!(await composition.isHealthy(service))) {
      if (Date.now() > deadline)
        throw new Error(`${service} is not healthy:\n${await composition.logs(service)}`)
      await delay(POLL_MS)
    }
  }

  async function untilDone(service: string): Promise<void> {
    const code = Number(await engine.podman('wait', containerOf(service)))
    if (code !== 0)
      throw new Error(`${service} exited with code ${code}:\n${await composition.logs(service)}`)
  }
}

async function succeeds(attempt: Promise<unknown>): Promise<boolean> {
  return attempt.then(
    () => true,
    () => false,
  )
}
