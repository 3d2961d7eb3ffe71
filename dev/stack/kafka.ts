/** Kafka nodes that are broker and controller in one (KRaft), set up for quick starts and small machines. */
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
  /** Deleted when this process dies. */
  readonly scratchDir: string
  readonly properties: Readonly<Record<string, string>>
  /** Listeners beside CLIENT; their security protocols are a matter of the properties. */
  readonly listeners?: readonly string[]
  /** More for the set-up of the storage, for example `--add-scram`. */
  readonly formatOptions?: readonly string[]
  /** For the broker's Java, for example system properties; they come behind ours. */
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
  /** The listener INTERNAL, which asks nobody for anything. */
  readonly internal: string
  /** Where the other listeners are, by their names. */
  readonly others: ReadonlyMap<string, string>
  /** What the broker is started with the next time. */
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
  /** As a user knows it. */
  readonly name: string
  /** The same on every node of a cluster. */
  readonly clusterId: string
  readonly ports: KafkaPorts
  readonly heapMb: number
}

/** A node with its storage formatted, not started yet. `properties` are all there are but where its data are. */
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
    throw new StackError(`Kafka's storage could not be set up. It says:\n${await lastLines(formatLog)}`)
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

/** Where a node whose files are in `directory` keeps its logs. */
export function dataDirOf(directory: string): string {
  return join(directory, 'data')
}

/**
 * Three listeners: CLIENT is the one handed out, so a test can put SASL or TLS on it by its security protocol alone;
 * the broker talks to itself on INTERNAL, which stays plain.
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
    // Sizes that are reserved before they are needed: an index per segment, and the log cleaner's map.
    'log.index.size.max.bytes': '1048576',
    'log.cleaner.dedupe.buffer.size': '4194304',
  }
}

/** The id goes into one word with its option: one in 64 begins with a dash. */
export function formatCommand(clusterId: string, config: string): string[] {
  return ['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c', config]
}

/** Java's property files take a backslash for an escape. */
export function toProperties(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('')
}
