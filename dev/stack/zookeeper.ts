/** ZooKeeper, which stores the metadata of Kafka before 3.3. It comes with Kafka's own libraries. */
import { mkdir, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { text } from 'node:stream/consumers'
import { join } from 'node:path'
import { jvmOptions, QUICK_START } from './java.ts'
import { LOG_OPTION, toProperties } from './kafka-config.ts'
import { pickPort } from './ports.ts'
import { Server } from './server.ts'

export interface ZooKeeperOptions {
  readonly java: string
  /** The libraries of Kafka. */
  readonly jarsDir: string
  readonly directory: string
  /** Deleted when this process ends. */
  readonly scratchDir: string
  readonly onCrash: (message: string) => void
}

export interface RunningZooKeeper {
  readonly server: Server
  readonly address: string
}

const PROBE_TIMEOUT_MS = 5_000
/** The shortest session of a broker is two of these. */
const TICK_MS = 1_000

/** Throws a PortTakenError or another StackError. */
export async function startZooKeeper(options: ZooKeeperOptions): Promise<RunningZooKeeper> {
  const { java, jarsDir, directory, scratchDir, onCrash } = options
  const port = await pickPort()
  const config = join(directory, 'zookeeper.properties')
  await mkdir(directory, { recursive: true })
  await writeFile(
    config,
    toProperties({
      dataDir: join(directory, 'data'),
      clientPort: String(port),
      clientPortAddress: '127.0.0.1',
      tickTime: String(TICK_MS),
      'admin.enableServer': 'false',
    }),
  )
  const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain'
  const server = new Server({
    name: 'ZooKeeper',
    command: java,
    args: [
      '-Xmx64m',
      ...QUICK_START,
      ...jvmOptions(directory),
      LOG_OPTION,
      '-Dzookeeper.jmx.log4j.disable=true', // or version 3.4 needs log4j 1
      '-cp',
      join(jarsDir, '*'),
      main,
      config,
    ],
    cwd: directory,
    scratchDir,
    logFile: join(directory, 'zookeeper.log'),
    listening: /binding to port/,
    probe: async () => probe(port),
    onCrash,
  })
  await server.start()
  return { server, address: `127.0.0.1:${port}` }
}

/** Asks for the state of the server: `srvr` is the one command that every version answers without configuration. */
async function probe(port: number): Promise<void> {
  const socket = createConnection({ host: '127.0.0.1', port })
  socket.setTimeout(PROBE_TIMEOUT_MS, () => socket.destroy(new Error('ZooKeeper does not answer.')))
  socket.write('srvr')
  if (!(await text(socket)).includes('Mode: standalone')) throw new Error('ZooKeeper is not ready.')
}
