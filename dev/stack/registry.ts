/** Apicurio Registry, which implements the Confluent API under /apis/ccompat/v7. Keeps schemas in memory only. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { jvmOptions } from './java.ts'
import { pickPort } from './ports.ts'
import { Server } from './server.ts'

export interface RegistryOptions {
  readonly java: string
  readonly programDir: string
  readonly directory: string
  /** Deleted when this process ends. */
  readonly scratchDir: string
  readonly onCrash: (message: string) => void
}

const PROBE_TIMEOUT_MS = 5_000

/** Throws a PortTakenError or another StackError. */
export async function startRegistry(options: RegistryOptions): Promise<{ server: Server; url: string }> {
  const { java, programDir, directory, scratchDir, onCrash } = options
  const port = await pickPort()
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`
  await mkdir(directory, { recursive: true })
  const server = new Server({
    name: 'The schema registry',
    command: java,
    args: [
      '-Xmx256m',
      ...jvmOptions(directory),
      '-XX:TieredStopAtLevel=1', // starts in two thirds of the time, and is never busy
      '-Dquarkus.http.host=127.0.0.1',
      `-Dquarkus.http.port=${port}`,
      '-Dquarkus.http.access-log.enabled=false',
      '-Dquarkus.log.category."io.quarkus".level=INFO', // for the line that contains its address
      '-jar',
      join(programDir, 'apicurio-registry-app-3.0.9-runner.jar'),
    ],
    cwd: directory,
    scratchDir,
    logFile: join(directory, 'registry.log'),
    listening: /Listening on: http/,
    probe: async () => {
      const answer = await fetch(`${url}/subjects`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) })
      if (!answer.ok) throw new Error(`The registry answers ${answer.status}.`)
    },
    onCrash,
  })
  await server.start()
  return { server, url }
}
