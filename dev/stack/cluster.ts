/**
 * A realistic Kafka cluster: three nodes that are both broker and controller, every record replicated to all and
 * acknowledged by two, and a registry. Each node can be killed and restarted, and has a proxy for clients that should
 * see network faults. No process or file is left behind, however this process ends.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findJava } from './java.ts'
import { dataDirOf, defaults, pickKafkaPorts, setUpNode, type KafkaPorts } from './kafka.ts'
import { pickPort } from './ports.ts'
import { providePrograms } from './programs.ts'
import { startRegistry } from './registry.ts'
import type { Server } from './server.ts'
import { endProcess, onFreePorts, type StackOptions } from './stack.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

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
  readonly jarsDir: string
  readonly dataDir: string
  readonly onCrash: (message: string) => void
}

/** Resolves when all nodes and the registry answer. Throws a StackError if something is missing or does not start. */
export async function startCluster(options: Omit<StackOptions, 'kafkaProperties'> = {}): Promise<Cluster> {
  const report = options.onProgress ?? (() => {})
  const java = await findJava()
  const { kafkaDir, registryDir } = await providePrograms(report)
  const dataDir = await mkdtemp(join(tmpdir(), 'checkresult-stream-'))
  const onCrash = options.onCrash ?? endProcess
  report(`Starting ${NODES} Kafka nodes and the schema registry ...`)
  const cleanUp: (() => Promise<void>)[] = [
    async () => rm(dataDir, { recursive: true, force: true, maxRetries: 3 }),
  ]
  const stop = async (): Promise<void> => {
    for (const undo of cleanUp.toReversed()) await undo()
    cleanUp.length = 0
  }
  try {
    const nodes = await onFreePorts(async (attempt) =>
      startNodes({ java, jarsDir: kafkaDir, dataDir: join(dataDir, `attempt-${attempt}`), onCrash }),
    )
    cleanUp.push(async () => stopNodes(nodes))
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
      controller: async () => controllerOf(nodes),
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

async function startNodes(launch: Launch): Promise<StartedNode[]> {
  const plans: Plan[] = []
  for (let id = 1; id <= NODES; id += 1) {
    plans.push({ id, ports: await pickKafkaPorts(), behindProxy: await pickPort(), proxy: await pickPort() })
  }
  const clusterId = randomBytes(16).toString('base64url')
  const nodes = await Promise.all(plans.map(async (plan) => setUp(plan, { ...launch, plans, clusterId })))
  const started = await Promise.allSettled(nodes.map(async ({ server }) => server.start()))
  const failed = started.find((one) => one.status === 'rejected')
  if (failed === undefined) return nodes
  await stopNodes(nodes)
  throw failed.reason
}

async function setUp(
  plan: Plan,
  {
    java,
    jarsDir,
    dataDir,
    onCrash,
    plans,
    clusterId,
  }: Launch & { plans: readonly Plan[]; clusterId: string },
): Promise<StartedNode> {
  const directory = join(dataDir, `node-${plan.id}`)
  const { server } = await setUpNode({
    name: `Kafka's node ${plan.id}`,
    java,
    jarsDir,
    directory,
    scratchDir: dataDir,
    clusterId,
    ports: plan.ports,
    heapMb: HEAP_MB,
    properties: propertiesOf(plan, plans),
    onCrash,
  })
  const proxy = await startTcpProxy({ port: plan.proxy, target: plan.behindProxy })
  return { id: plan.id, server, broker: `127.0.0.1:${plan.ports.client}`, proxy, directory }
}

/** Four listeners: those of a single node, and PROXIED, which advertises the proxy's port instead of its own. */
function propertiesOf({ id, ports, behindProxy, proxy }: Plan, all: readonly Plan[]): Record<string, string> {
  const usual = defaults(ports)
  return {
    ...usual,
    'node.id': String(id),
    'controller.quorum.voters': all.map((one) => `${one.id}@127.0.0.1:${one.ports.controller}`).join(),
    listeners: `${usual['listeners']},PROXIED://127.0.0.1:${behindProxy}`,
    'advertised.listeners': `${usual['advertised.listeners']},PROXIED://127.0.0.1:${proxy}`,
    'listener.security.protocol.map': `${usual['listener.security.protocol.map']},PROXIED:PLAINTEXT`,
    'default.replication.factor': '3',
    'min.insync.replicas': '2',
    'offsets.topic.replication.factor': '3',
    'transaction.state.log.replication.factor': '3',
    'transaction.state.log.min.isr': '2',
    // After this time a killed node counts as gone; 9 s by default.
    'broker.session.timeout.ms': '4000',
    'broker.heartbeat.interval.ms': '500',
  }
}

/** The data is not read again, so there is no need for an orderly shutdown. */
async function stopNodes(nodes: readonly ClusterNode[]): Promise<void> {
  await Promise.all(nodes.map(async ({ server }) => server.stop('SIGKILL')))
  await Promise.all(nodes.map(async ({ proxy }) => proxy.close()))
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

/** Brokers report any node as the controller. The actual quorum leader is in a file of each node. */
async function controllerOf(nodes: readonly StartedNode[]): Promise<ClusterNode> {
  const states = await Promise.all(
    nodes
      .filter(({ server }) => server.pid !== undefined)
      .map(async ({ directory }) => {
        const file = join(dataDirOf(directory), '__cluster_metadata-0', 'quorum-state')
        return JSON.parse(await readFile(file, 'utf8')) as QuorumState
      }),
  )
  const newest = states.filter(({ leaderId }) => leaderId >= 0).sort((a, b) => b.leaderEpoch - a.leaderEpoch)
  const leader = nodes.find(({ id }) => id === newest[0]?.leaderId)
  if (leader === undefined) throw new Error('No node is the active controller at the moment.')
  return leader
}
