/**
 * A real Redis on a free loopback port without persistence: it is empty after a restart. For tests and development.
 * Needs no Java once the programs are cached.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pickPort } from './ports.ts'
import { providePrograms } from './programs.ts'
import { Server } from './server.ts'
import { StackError } from './stack-error.ts'
import { endProcess, onFreePorts } from './stack.ts'

export interface RedisOptions {
  /** Directives that extend or replace the stack's own: `{ requirepass: '...' }`. */
  readonly directives?: Readonly<Record<string, string>>
  /** Accepts TLS connections only; the directives name the files. */
  readonly tls?: boolean
  /** Receives a message before each slow step. */
  readonly onProgress?: (line: string) => void
  /** Called if the server ends by itself. By default, that ends this process as an uncaught error. */
  readonly onCrash?: (message: string) => void
}

export interface LocalRedis {
  readonly url: string
  readonly port: number
  /** Keeps its port when it is started again, and is empty. */
  readonly server: Server
  /** Stops it and deletes its folder. */
  readonly stop: () => Promise<void>
}

const PROBE_TIMEOUT_MS = 5_000

/** Resolves when it answers. Throws a StackError if it is not available or does not start. */
export async function startRedis(options: RedisOptions = {}): Promise<LocalRedis> {
  const { redisDir } = await providePrograms(options.onProgress ?? (() => {}))
  const command = join(redisDir, binaryOf(process.platform, process.arch))
  const scratchDir = await mkdtemp(join(tmpdir(), 'checkresult-redis-'))
  const remove = async (): Promise<void> => rm(scratchDir, { recursive: true, force: true, maxRetries: 3 })
  try {
    const { server, port } = await onFreePorts(async (attempt) => {
      const directory = join(scratchDir, String(attempt))
      await mkdir(directory)
      return startServer({ ...options, command, directory, scratchDir })
    })
    const stop = async (): Promise<void> => {
      await server.stop('SIGKILL')
      await remove()
    }
    return { url: `redis://127.0.0.1:${port}`, port, server, stop }
  } catch (error) {
    await remove()
    throw error
  }
}

interface Launch extends RedisOptions {
  readonly command: string
  readonly directory: string
  readonly scratchDir: string
}

async function startServer(launch: Launch): Promise<{ server: Server; port: number }> {
  const { command, directory, scratchDir, directives, tls = false, onCrash = endProcess } = launch
  const port = await pickPort()
  const ports = tls ? { port: '0', 'tls-port': String(port) } : { port: String(port) }
  const server = new Server({
    name: 'Redis',
    command,
    args: argsOf({ ...ports, dir: directory, ...directives }),
    cwd: directory,
    scratchDir,
    logFile: join(directory, 'redis.log'),
    listening: /Ready to accept connections/,
    probe: async () => probe(port, tls ? 'connect' : 'data'),
    onCrash,
  })
  await server.start()
  return { server, port }
}

const BINARIES: Readonly<Record<string, string>> = {
  'linux-x64': 'redis-server-6.2.6-v5-linux-amd64',
  'linux-arm64': 'redis-server-6.2.7-linux-arm64',
  'darwin-x64': 'redis-server-6.2.6-v5-darwin-amd64',
  'darwin-arm64': 'redis-server-6.2.6-v5-darwin-arm64',
}

export function binaryOf(platform: string, arch: string): string {
  const binary = BINARIES[`${platform}-${arch}`]
  if (binary === undefined) throw new StackError(`The stack has no Redis for ${platform} on ${arch}.`)
  return binary
}

function argsOf(directives: Readonly<Record<string, string>>): string[] {
  const all = { bind: '127.0.0.1', save: '', appendonly: 'no', ...directives }
  return Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])
}

/**
 * Accepts any answer: a server that requires a password sends an error, but it is running. With TLS, a connection is
 * enough.
 */
async function probe(port: number, sign: 'connect' | 'data'): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    socket.setTimeout(PROBE_TIMEOUT_MS, () => socket.destroy(new Error('Redis does not answer.')))
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once(sign, () => resolve())
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('Redis closed the connection.')))
    socket.once(sign, () => socket.destroy())
  })
}
