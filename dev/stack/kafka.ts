/** Kafka nodes that are both broker and controller (KRaft), configured for quick starts and small machines. */
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { jvmOptions, QUICK_START } from './java.ts'
import { servesClients } from './kafka-probe.ts'
import { spawnLeashed } from './leash.ts'
import { lastLines } from './log-file.ts'
import { pickPort } from './ports.ts'
import { Server } from './server.ts'
import { StackError } from './stack-error.ts'

export interface KafkaOptions {
  readonly java: string
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

export interface KafkaPorts {
  readonly client: number
  readonly internal: number
  readonly controller: number
  readonly others: ReadonlyMap<string, number>
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
}

const LOG_CONFIG = fileURLToPath(new URL('kafka-log4j2.properties', import.meta.url))

/** Throws a PortTakenError or another StackError. */
export async function startKafka(options: KafkaOptions): Promise<RunningKafka> {
  const ports = await pickKafkaPorts(options.listeners)
  const clusterId = randomBytes(16).toString('base64url')
  const properties = { ...defaults(ports), ...options.properties }
  const node = await setUpNode({ ...options, properties, name: 'Kafka', clusterId, ports, heapMb: 512 })
  await node.server.start()
  const others = new Map([...ports.others].map(([name, port]) => [name, `127.0.0.1:${port}`]))
  return {
    server: node.server,
    broker: `127.0.0.1:${ports.client}`,
    internal: `127.0.0.1:${ports.internal}`,
    others,
    configure: (changed) => node.configure({ ...defaults(ports), ...changed }),
  }
}

export async function pickKafkaPorts(others: readonly string[] = []): Promise<KafkaPorts> {
  const ports = { client: await pickPort(), internal: await pickPort(), controller: await pickPort() }
  const named = new Map<string, number>()
  for (const name of others) named.set(name, await pickPort())
  return { ...ports, others: named }
}

export interface NodeOptions extends KafkaOptions {
  /** Name in messages. */
  readonly name: string
  /** The same on every node of a cluster. */
  readonly clusterId: string
  readonly ports: KafkaPorts
  readonly heapMb: number
}

/**
 * A node with formatted storage that has not started yet. `properties` is its whole configuration except for the data
 * directory.
 */
export async function setUpNode(options: NodeOptions): Promise<Pick<RunningKafka, 'server' | 'configure'>> {
  const { name, java, jarsDir, directory, scratchDir, clusterId, ports, heapMb, onCrash } = options
  const config = join(directory, 'server.properties')
  await mkdir(directory, { recursive: true })
  const configure: RunningKafka['configure'] = (properties) =>
    writeFile(config, toProperties({ 'log.dirs': dataDirOf(directory), ...properties }))
  await configure(options.properties)
  const jvm = { command: java, cwd: directory, scratchDir }
  const small = jvmOptions(directory)
  const kafka = [`-Dlog4j2.configurationFile=${LOG_CONFIG}`, '-cp', join(jarsDir, '*')]

  const formatLog = join(directory, 'format.log')
  const format = [
    ...QUICK_START,
    ...small,
    ...kafka,
    ...formatCommand(clusterId, config),
    ...(options.formatOptions ?? []),
  ]
  if ((await spawnLeashed({ ...jvm, args: format, logFile: formatLog }).exited) !== 0) {
    throw new StackError(
      `Formatting Kafka's storage failed. The end of its log:\n${await lastLines(formatLog)}`,
    )
  }

  const internal = `127.0.0.1:${ports.internal}`
  const server = new Server({
    ...jvm,
    name,
    args: [`-Xmx${heapMb}m`, ...small, ...(options.javaOptions ?? []), ...kafka, 'kafka.Kafka', config],
    logFile: join(directory, 'kafka.log'),
    listening: /Kafka Server started/,
    probe: async () => servesClients(internal),
    onCrash,
  })
  return { server, configure }
}

/** The log directory of a node whose files are in `directory`. */
export function dataDirOf(directory: string): string {
  return join(directory, 'data')
}

/**
 * Three listeners: CLIENT is the one that clients get, so a test can enable SASL or TLS on it by its security
 * protocol alone. The broker talks to itself on INTERNAL, which stays plain.
 */
export function defaults(ports: KafkaPorts): Record<string, string> {
  const advertised = [
    `CLIENT://127.0.0.1:${ports.client}`,
    `INTERNAL://127.0.0.1:${ports.internal}`,
    ...[...ports.others].map(([name, port]) => `${name}://127.0.0.1:${port}`),
  ]
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'INTERNAL',
    listeners: [...advertised, `CONTROLLER://127.0.0.1:${ports.controller}`].join(),
    'advertised.listeners': advertised.join(),
    'listener.security.protocol.map': 'CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'num.partitions': '8',
    'auto.create.topics.enable': 'false',
    'default.replication.factor': '1',
    'min.insync.replicas': '1',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '8',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '8',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    // Sizes that Kafka reserves in advance: an index per segment, and the log cleaner's map.
    'log.index.size.max.bytes': '1048576',
    'log.cleaner.dedupe.buffer.size': '4194304',
  }
}

/** Passed with `=` as one argument, because one id in 64 starts with a dash. */
export function formatCommand(clusterId: string, config: string): string[] {
  return ['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c', config]
}

/** Java's property files treat a backslash as an escape character. */
export function toProperties(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('')
}
