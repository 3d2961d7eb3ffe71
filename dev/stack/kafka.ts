/**
 * Kafka nodes, configured for quick starts and small machines. They are both broker and controller (KRaft), or share a
 * ZooKeeper if their version needs one.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { jvmOptions, QUICK_START } from './java.ts'
import {
  defaults,
  LOG_OPTION,
  pickKafkaPorts,
  toProperties,
  type KafkaPorts,
  type Membership,
} from './kafka-config.ts'
import { servesClients } from './kafka-probe.ts'
import { DEFAULT_KAFKA, needsZooKeeper } from './kafka-version.ts'
import { spawnLeashed } from './leash.ts'
import { lastLines } from './log-file.ts'
import { Server } from './server.ts'
import { StackError } from './stack-error.ts'
import { startZooKeeper } from './zookeeper.ts'

export interface KafkaOptions {
  readonly java: string
  /** That of the pinned version by default. */
  readonly version?: string
  /** Holds the libraries of that version. */
  readonly jarsDir: string
  /** Must not exist yet. */
  readonly directory: string
  /** Deleted when this process ends. */
  readonly scratchDir: string
  readonly properties: Readonly<Record<string, string>>
  /** Listeners in addition to CLIENT. Their security protocols are set in the properties. */
  readonly listeners?: readonly string[]
  /** More arguments for formatting the storage, for example `--add-scram`. */
  readonly formatOptions?: readonly string[]
  /** Options for the broker's JVM, for example system properties. They follow ours. */
  readonly javaOptions?: readonly string[]
  readonly onCrash: (message: string) => void
}

export interface RunningKafka {
  readonly server: Server
  /** The listener CLIENT. */
  readonly broker: string
  /** The listener INTERNAL, which needs no authentication. */
  readonly internal: string
  /** Addresses of the other listeners, by name. */
  readonly others: ReadonlyMap<string, string>
  /** The configuration for the broker's next start. */
  configure(properties: Readonly<Record<string, string>>): Promise<void>
  /** Kills the broker and what belongs to it. The data is not read again, so there is no need for an orderly end. */
  stop(): Promise<void>
}

/** Throws a PortTakenError or another StackError. */
export async function startKafka(options: KafkaOptions): Promise<RunningKafka> {
  const { version = DEFAULT_KAFKA } = options
  const ports = await pickKafkaPorts(options.listeners)
  const clusterId = randomBytes(16).toString('base64url')
  const zookeeper = needsZooKeeper(version)
    ? await startZooKeeper({ ...options, directory: `${options.directory}-zookeeper` })
    : null
  const membership: Membership = { id: 1, zookeeper: zookeeper?.address ?? null }
  const properties = { ...defaults(ports, membership), ...options.properties }
  try {
    const node = await setUpNode({
      ...options,
      properties,
      membership,
      name: 'Kafka',
      clusterId,
      ports,
      heapMb: 512,
    })
    await node.server.start()
    return {
      server: node.server,
      broker: `127.0.0.1:${ports.client}`,
      internal: `127.0.0.1:${ports.internal}`,
      others: new Map([...ports.others].map(([name, port]) => [name, `127.0.0.1:${port}`])),
      configure: (changed) => node.configure({ ...defaults(ports, membership), ...changed }),
      stop: async () => {
        await Promise.all([node.server.stop('SIGKILL'), zookeeper?.server.stop('SIGKILL')])
      },
    }
  } catch (error) {
    await zookeeper?.server.stop('SIGKILL')
    throw error
  }
}

export interface NodeOptions extends KafkaOptions {
  /** Name in messages. */
  readonly name: string
  readonly membership: Membership
  /** The same on every node of a cluster. */
  readonly clusterId: string
  readonly ports: KafkaPorts
  readonly heapMb: number
}

/**
 * A node that has not started yet, with formatted storage if it is a controller. `properties` is its whole
 * configuration except for the data directory.
 */
export async function setUpNode(options: NodeOptions): Promise<Pick<RunningKafka, 'server' | 'configure'>> {
  const { name, java, directory, scratchDir, membership, ports, heapMb, onCrash } = options
  const config = join(directory, 'server.properties')
  await mkdir(directory, { recursive: true })
  const configure: RunningKafka['configure'] = (properties) =>
    writeFile(config, toProperties({ 'log.dirs': dataDirOf(directory), ...properties }))
  await configure(options.properties)
  const kafka = [LOG_OPTION, '-cp', join(options.jarsDir, '*')]
  const small = jvmOptions(directory)
  if (membership.zookeeper === null) {
    const format = [...formatCommand(options.clusterId, config), ...(options.formatOptions ?? [])]
    await formatStorage(options, [...QUICK_START, ...small, ...kafka, ...format])
  }
  const internal = `127.0.0.1:${ports.internal}`
  const server = new Server({
    command: java,
    cwd: directory,
    scratchDir,
    name,
    args: [`-Xmx${heapMb}m`, ...small, ...(options.javaOptions ?? []), ...kafka, 'kafka.Kafka', config],
    logFile: join(directory, 'kafka.log'),
    listening: membership.zookeeper === null ? /Kafka Server started/ : /\[KafkaServer id=\d+\] started/,
    probe: async () => servesClients(internal),
    onCrash,
  })
  return { server, configure }
}

async function formatStorage(
  { java, directory, scratchDir }: NodeOptions,
  args: readonly string[],
): Promise<void> {
  const logFile = join(directory, 'format.log')
  const code = await spawnLeashed({ command: java, cwd: directory, scratchDir, args, logFile }).exited
  if (code === 0) return
  throw new StackError(`Formatting Kafka's storage failed. The end of its log:\n${await lastLines(logFile)}`)
}

/** The log directory of a node whose files are in `directory`. */
export function dataDirOf(directory: string): string {
  return join(directory, 'data')
}

/** Passed with `=` as one argument, because one id in 64 starts with a dash. */
export function formatCommand(clusterId: string, config: string): string[] {
  return ['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c', config]
}
