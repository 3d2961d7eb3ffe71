/**
 * A realistic Kafka cluster: three nodes that are both broker and controller (or brokers with a ZooKeeper, before Kafka
 * 3.3), every record replicated to all and acknowledged by two, and a registry. Each node can be killed and restarted, and has a proxy for clients that should
 * see network faults. No process or file is left behind, however this process ends.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findJava } from './java.ts'
import { defaults, pickKafkaPorts, type KafkaPorts } from './kafka-config.ts'
import { controllerId } from './kafka-probe.ts'
import { needsZooKeeper, stackKafka } from './kafka-version.ts'
import { dataDirOf, setUpNode } from './kafka.ts'
import { pickPort } from './ports.ts'
import { providePrograms } from './programs.ts'
import { startRegistry } from './registry.ts'
import type { Server } from './server.ts'
import { endProcess, onFreePorts, type StackOptions } from './stack.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'
import { startZooKeeper } from './zookeeper.ts'

export interface ClusterNode {
  readonly id: number
  /** Keeps its port and data when it is started again. */
  readonly server: Server
  readonly broker: string
  /** Clients that bootstrap from `proxiedBrokers` reach the node through this proxy. */
  readonly proxy: TcpProxy
}

export interface Cluster {
  readonly nodes: readonly ClusterNode[]
  readonly brokers: readonly string[]
  /** The same brokers, for clients that connect through the proxies. */
  readonly proxiedBrokers: readonly string[]
  readonly registryUrl: string
  /** The same registry, through `registryProxy`. */
  readonly proxiedRegistryUrl: string
  readonly registryProxy: TcpProxy
  /** The active controller. */
  controller(): Promise<ClusterNode>
  readonly stop: () => Promise<void>
}

const NODES = 3
/** Small, for two cores and a laptop's memory. */
const HEAP_MB = 320

interface Plan {
  readonly id: number
  readonly ports: KafkaPorts
  /** The port on which the node listens for its proxy, and the proxy's own port. */
  readonly behindProxy: number
  readonly proxy: number
}

interface Launch {
  readonly java: string
  readonly version: string
  readonly jarsDir: string
  readonly dataDir: string
  readonly onCrash: (message: string) => void
}

/** Resolves when all nodes and the registry answer. Throws a StackError if something is missing or does not start. */
export async function startCluster(options: Omit<StackOptions, 'kafkaProperties'> = {}): Promise<Cluster> {
  const report = options.onProgress ?? (() => {})
  const java = await findJava()
  const { kafkaVersion: version = stackKafka() } = options
  const { kafkaDir: jarsDir, registryDir } = await providePrograms(report, version)
  const dataDir = await mkdtemp(join(tmpdir(), 'checkresult-stream-'))
  const onCrash = options.onCrash ?? endProcess
  report(`Starting ${NODES} nodes of Kafka ${version} and the schema registry ...`)
  const cleanUp: (() => Promise<void>)[] = [
    async () => rm(dataDir, { recursive: true, force: true, maxRetries: 3 }),
  ]
  const stop = async (): Promise<void> => {
    for (const undo of cleanUp.toReversed()) await undo()
    cleanUp.length = 0
  }
  try {
    const { nodes, stop: stopNodes } = await onFreePorts(async (attempt) =>
      startNodes({ java, version, jarsDir, dataDir: join(dataDir, `attempt-${attempt}`), onCrash }),
    )
    cleanUp.push(stopNodes)
    const registry = await onFreePorts(async () =>
      startRegistry({
        java,
        programDir: registryDir,
        directory: join(dataDir, 'registry'),
        scratchDir: dataDir,
        onCrash,
      }),
    )
    cleanUp.push(async () => registry.server.stop('SIGKILL'))
    const proxied = await proxyBefore(registry.url)
    cleanUp.push(async () => proxied.proxy.close())
    return {
      nodes,
      brokers: nodes.map(({ broker }) => broker),
      proxiedBrokers: nodes.map(({ proxy }) => `127.0.0.1:${proxy.port}`),
      registryUrl: registry.url,
      proxiedRegistryUrl: proxied.url,
      registryProxy: proxied.proxy,
      controller: async () => controllerOf(nodes, needsZooKeeper(version)),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

interface StartedNode extends ClusterNode {
  readonly directory: string
}

interface StartedNodes {
  readonly nodes: readonly StartedNode[]
  readonly stop: () => Promise<void>
}

async function startNodes(launch: Launch): Promise<StartedNodes> {
  const zookeeper = needsZooKeeper(launch.version)
    ? await startZooKeeper({
        ...launch,
        directory: join(launch.dataDir, 'zookeeper'),
        scratchDir: launch.dataDir,
      })
    : null
  const nodes: StartedNode[] = []
  // The data is not read again, so there is no need for an orderly shutdown.
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map(async ({ server }) => server.stop('SIGKILL')))
    await Promise.all([...nodes.map(async ({ proxy }) => proxy.close()), zookeeper?.server.stop('SIGKILL')])
  }
  try {
    const plans = await planNodes()
    const clusterId = randomBytes(16).toString('base64url')
    const common = { ...launch, plans, clusterId, zookeeper: zookeeper?.address ?? null }
    nodes.push(...(await Promise.all(plans.map(async (plan) => setUp(plan, common)))))
    const started = await Promise.allSettled(nodes.map(async ({ server }) => server.start()))
    const failed = started.find((one) => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    return { nodes, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function planNodes(): Promise<Plan[]> {
  const plans: Plan[] = []
  for (let id = 1; id <= NODES; id += 1) {
    plans.push({ id, ports: await pickKafkaPorts(), behindProxy: await pickPort(), proxy: await pickPort() })
  }
  return plans
}

interface Common extends Launch {
  readonly plans: readonly Plan[]
  readonly clusterId: string
  readonly zookeeper: string | null
}

async function setUp(plan: Plan, common: Common): Promise<StartedNode> {
  const { dataDir, plans, zookeeper, ...launch } = common
  const directory = join(dataDir, `node-${plan.id}`)
  const { server } = await setUpNode({
    ...launch,
    name: `Kafka's node ${plan.id}`,
    membership: { id: plan.id, zookeeper },
    directory,
    scratchDir: dataDir,
    ports: plan.ports,
    heapMb: HEAP_MB,
    properties: propertiesOf(plan, { plans, zookeeper }),
  })
  const proxy = await startTcpProxy({ port: plan.proxy, target: plan.behindProxy })
  return { id: plan.id, server, broker: `127.0.0.1:${plan.ports.client}`, proxy, directory }
}

/** Four listeners: those of a single node, and PROXIED, which advertises the proxy's port instead of its own. */
function propertiesOf(
  { id, ports, behindProxy, proxy }: Plan,
  { plans, zookeeper }: Pick<Common, 'plans' | 'zookeeper'>,
): Record<string, string> {
  const usual = defaults(ports, { id, zookeeper })
  return {
    ...usual,
    ...(zookeeper === null && {
      'controller.quorum.voters': plans.map((one) => `${one.id}@127.0.0.1:${one.ports.controller}`).join(),
    }),
    listeners: `${usual['listeners']},PROXIED://127.0.0.1:${behindProxy}`,
    'advertised.listeners': `${usual['advertised.listeners']},PROXIED://127.0.0.1:${proxy}`,
    'listener.security.protocol.map': `${usual['listener.security.protocol.map']},PROXIED:PLAINTEXT`,
    'default.replication.factor': '3',
    'min.insync.replicas': '2',
    'offsets.topic.replication.factor': '3',
    'transaction.state.log.replication.factor': '3',
    'transaction.state.log.min.isr': '2',
    // After this time a killed node counts as gone; 9 s by default, and 18 s with ZooKeeper.
    [zookeeper === null ? 'broker.session.timeout.ms' : 'zookeeper.session.timeout.ms']: '4000',
    'broker.heartbeat.interval.ms': '500',
  }
}

async function proxyBefore(url: string): Promise<{ proxy: TcpProxy; url: string }> {
  const through = new URL(url)
  const proxy = await startTcpProxy({ port: await pickPort(), target: Number(through.port) })
  through.port = String(proxy.port)
  return { proxy, url: through.href }
}

interface QuorumState {
  readonly leaderId: number
  readonly leaderEpoch: number
}

async function controllerOf(nodes: readonly StartedNode[], withZooKeeper: boolean): Promise<ClusterNode> {
  const running = nodes.filter(({ server }) => server.pid !== undefined)
  const id = await (withZooKeeper ? controllerId(running.map(({ broker }) => broker)) : quorumLeader(running))
  const leader = nodes.find((node) => node.id === id)
  if (leader === undefined) throw new Error('No node is the active controller at the moment.')
  return leader
}

/** With KRaft, brokers report any node as the controller. The actual leader is in a file of each node. */
async function quorumLeader(nodes: readonly StartedNode[]): Promise<number | undefined> {
  const states = await Promise.all(
    nodes.map(async ({ directory }) => {
      const file = join(dataDirOf(directory), '__cluster_metadata-0', 'quorum-state')
      return JSON.parse(await readFile(file, 'utf8')) as QuorumState
    }),
  )
  const newest = states.filter(({ leaderId }) => leaderId >= 0).sort((a, b) => b.leaderEpoch - a.leaderEpoch)
  return newest[0]?.leaderId
}
