/** The configuration of a Kafka node for quick starts and small machines. */
import { fileURLToPath } from 'node:url'
import { pickPort } from './ports.ts'

export interface KafkaPorts {
  readonly client: number
  readonly internal: number
  readonly controller: number
  readonly others: ReadonlyMap<string, number>
}

export interface Membership {
  readonly id: number
  /** Address of the ZooKeeper; null if the node is both broker and controller (KRaft). */
  readonly zookeeper: string | null
}

/** The JVM option for a log on standard output. */
export const LOG_OPTION = `-Dlog4j2.configurationFile=${fileURLToPath(new URL('kafka-log4j2.properties', import.meta.url))}`

export async function pickKafkaPorts(others: readonly string[] = []): Promise<KafkaPorts> {
  const ports = { client: await pickPort(), internal: await pickPort(), controller: await pickPort() }
  const named = new Map<string, number>()
  for (const name of others) named.set(name, await pickPort())
  return { ...ports, others: named }
}

/**
 * Three listeners: CLIENT is the one that clients get, so a test can enable SASL or TLS on it by its security
 * protocol alone. The broker talks to itself on INTERNAL, which stays plain. With ZooKeeper there is no CONTROLLER.
 */
export function defaults(ports: KafkaPorts, membership: Membership): Record<string, string> {
  const advertised = [
    `CLIENT://127.0.0.1:${ports.client}`,
    `INTERNAL://127.0.0.1:${ports.internal}`,
    ...[...ports.others].map(([name, port]) => `${name}://127.0.0.1:${port}`),
  ].join()
  return {
    listeners: advertised,
    ...membershipProperties(ports, membership, advertised),
    'inter.broker.listener.name': 'INTERNAL',
    'advertised.listeners': advertised,
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

function membershipProperties(
  { controller }: KafkaPorts,
  { id, zookeeper }: Membership,
  listeners: string,
): Record<string, string> {
  if (zookeeper !== null) {
    return {
      'broker.id': String(id),
      'zookeeper.connect': zookeeper,
      // The session timeout by default, which a start on a busy machine exceeds.
      'zookeeper.connection.timeout.ms': '60000',
    }
  }
  return {
    'process.roles': 'broker,controller',
    'node.id': String(id),
    'controller.quorum.voters': `${id}@127.0.0.1:${controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `${listeners},CONTROLLER://127.0.0.1:${controller}`,
  }
}

/** Java's property files treat a backslash as an escape character. */
export function toProperties(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('')
}
