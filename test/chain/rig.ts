/**
 * The whole chain on one machine: stack, simulator, two replicas as processes, and a real Prometheus that scrapes
 * them and evaluates our rules with accelerated time.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Kafka } from 'kafkajs'
import type { Environment } from '../../dev/harness/environment.ts'
import { SERVICE, startServiceProcess, type ServiceProcess } from '../../dev/harness/service.ts'
import { pickPort } from '../../dev/stack/ports.ts'
import { RULES_DIR, startPrometheus } from '../../dev/stack/prometheus.ts'
import { startRedis, type LocalRedis } from '../../dev/stack/redis.ts'
import { onFreePorts, startStack, type Stack } from '../../dev/stack/stack.ts'
import { startTcpProxy, type TcpProxy } from '../../dev/stack/tcp-proxy.ts'
import { providePrometheus } from '../../dev/tools/prometheus.ts'
import { startSimulator, type Simulator } from '../../simulator/simulator.ts'
import { Bed } from '../support/bed.ts'
import { PLAIN, startCredentialServer, type CredentialServer } from '../support/credential-servers.ts'
import { SIMULATOR_KEY } from '../support/run.ts'
import { AlertWatch } from './alert-watch.ts'
import { compressRules, type Compression } from './compress.ts'
import { Load } from './load.ts'
import { PrometheusApi } from './prometheus-api.ts'

/**
 * Five minutes of the rules are three seconds here and contain four scrapes. The test takes longer than the six hours
 * of the longest window.
 */
export const COMPRESSION: Compression = { factor: 100, ageFactor: 10, scrapeSeconds: 0.75 }

export const PARTITIONS = 8
/** Five times the load, so that a backlog after a fault is processed quickly. */
const QPS = 200
const REPLICAS = 2
const DEFER_DELAY = '1s'
const BLOCK_LOOP = fileURLToPath(new URL('block-loop.ts', import.meta.url))
/** The demo uses the event numbers below this one. */
const FIRST_NUMBER = 10_000

export interface Rig {
  readonly stack: Stack
  readonly redis: LocalRedis
  readonly environment: Environment
  readonly retryTopics: readonly string[]
  readonly kafka: Kafka
  readonly simulator: Simulator
  readonly credentials: CredentialLender
  /** The proxy through which the replicas reach the registry. */
  readonly registryProxy: TcpProxy
  readonly replicas: readonly Slot[]
  readonly load: Load
  readonly api: PrometheusApi
  readonly watch: AlertWatch
}

/** Starts everything. `running` stops it in reverse order. */
export async function startRig(running: AsyncDisposableStack): Promise<Rig> {
  const stack = await startStack()
  running.defer(stack.stop)
  const redis = await startRedis()
  running.defer(redis.stop)
  const simulator = await startSimulator({
    credentials: { ...SIMULATOR_KEY, securityToken: TOKEN },
    qps: 'unlimited',
    latencyMs: 20,
    jitterMs: 40,
  })
  running.defer(async () => simulator.close())
  const credentials = await lendCredentials()
  running.defer(async () => credentials.server.close())
  const registryProxy = await startTcpProxy({
    port: await pickPort(),
    target: Number(new URL(stack.registryUrl).port),
  })
  running.defer(async () => registryProxy.close())
  const bed = await setBed({ stack, simulator, credentials, registryProxy })
  running.defer(async () => bed.clear())
  const { environment, kafka, encode } = bed
  const replicas = await startReplicas(environment)
  running.defer(async () => void (await Promise.all(replicas.map(async (slot) => slot.kill()))))
  const load = new Load(
    { kafka, topic: environment.topics.input, partitions: PARTITIONS, encode },
    FIRST_NUMBER,
  )
  const api = new PrometheusApi(await startWatching(stack, replicas, running))
  const watch = new AlertWatch(api)
  watch.start()
  running.defer(async () => watch.stop())
  return {
    stack,
    redis,
    environment,
    retryTopics: bed.retryTopics,
    kafka,
    simulator,
    credentials,
    registryProxy,
    replicas,
    load,
    api,
    watch,
  }
}

type Env = Readonly<Record<string, string>>

/** The address of a replica. Its process may change. */
export class Slot {
  readonly url: string
  readonly #env: Env
  #service: ServiceProcess | null = null

  constructor(env: Env, port: number) {
    this.url = `http://127.0.0.1:${port}`
    this.#env = { ...env, OPS_PORT: String(port) }
  }

  /** Resolves when it listens, which is before it is ready. */
  async launch(settings: Env = {}): Promise<void> {
    this.#service = await startServiceProcess({ ...this.#env, ...settings }, [
      '--import',
      BLOCK_LOOP,
      ...SERVICE,
    ])
  }

  async ready(): Promise<void> {
    await this.#service?.ready()
  }

  async start(settings: Env = {}): Promise<void> {
    await this.launch(settings)
    await this.ready()
  }

  async restart(settings: Env = {}): Promise<void> {
    await this.end()
    await this.start(settings)
  }

  signal(signal: NodeJS.Signals): void {
    this.#service?.signal(signal)
  }

  async kill(): Promise<void> {
    await this.#leave((service) => service.signal('SIGKILL'))
  }

  /** An orderly end: the replica leaves the group, so the group rebalances at once. */
  async end(): Promise<void> {
    await this.#leave((service) => service.signal('SIGTERM'))
  }

  async #leave(tell: (service: ServiceProcess) => void): Promise<void> {
    const service = this.#service
    this.#service = null
    if (service === null) return
    tell(service)
    await service.exited
  }
}

const TOKEN = 'fictitious-session-token'
const LONG_MS = 24 * 3_600_000

/** Serves the simulator's credentials until they are revoked. */
export class CredentialLender {
  readonly server: CredentialServer
  readonly #lifetime: { ms: number }

  constructor(server: CredentialServer, lifetime: { ms: number }) {
    this.server = server
    this.#lifetime = lifetime
  }

  get url(): string {
    return `http://127.0.0.1:${this.server.port}/keys`
  }

  /** Lifetime of the credentials served from now on. One day by default. */
  lendFor(lifetimeMs = LONG_MS): void {
    this.#lifetime.ms = lifetimeMs
  }
}

async function lendCredentials(): Promise<CredentialLender> {
  const lifetime = { ms: LONG_MS }
  const server = await startCredentialServer({
    shape: PLAIN,
    keys: () => ({
      AccessKeyId: SIMULATOR_KEY.accessKeyId,
      AccessKeySecret: SIMULATOR_KEY.accessKeySecret,
      SecurityToken: TOKEN,
      Expiration: new Date(Date.now() + lifetime.ms).toISOString(),
    }),
  })
  return new CredentialLender(server, lifetime)
}

type Surroundings = Pick<Rig, 'stack' | 'simulator' | 'credentials' | 'registryProxy'>

async function setBed({ stack, simulator, credentials, registryProxy }: Surroundings): Promise<Bed> {
  const registryUrl = new URL(stack.registryUrl)
  registryUrl.port = String(registryProxy.port)
  const settings = {
    CHECKRESULT_QPS: String(QPS),
    CHECKRESULT_TIMEOUT: '2s',
    DEFER_DELAYS: DEFER_DELAY,
    // The demo includes events that never complete, which would be deferred during the whole test.
    DEFER_MAX_AGE: '20s',
    DEAD_LETTER_LIMIT_COOLDOWN: '5s',
    KAFKA_SESSION_TIMEOUT: '6s',
    ALIBABA_CLOUD_ACCESS_KEY_ID: '',
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: '',
    ALIBABA_CLOUD_CREDENTIALS_URI: credentials.url,
  }
  return Bed.set({
    stack: { brokers: stack.brokers, registryUrl: registryUrl.href },
    endpoint: simulator.url,
    settings,
    shared: false,
    partitions: PARTITIONS,
  })
}

async function startReplicas({ env }: Environment): Promise<Slot[]> {
  const ports = await Promise.all(Array.from({ length: REPLICAS }, async () => pickPort()))
  const slots = ports.map((port) => new Slot(env, port))
  await Promise.all(slots.map(async (slot) => slot.start()))
  return slots
}

/** Starts Prometheus and returns its address. */
async function startWatching(
  { dataDir }: Stack,
  replicas: readonly Slot[],
  running: AsyncDisposableStack,
): Promise<string> {
  const { prometheus } = await providePrometheus()
  const directory = join(dataDir, 'prometheus')
  const ruleFiles = await compressedRules(join(dataDir, 'rules'))
  const { server, url } = await onFreePorts(async () =>
    startPrometheus({
      program: prometheus,
      directory,
      scratchDir: dataDir,
      targets: replicas.map(({ url: target }) => ({ url: target, labels: { namespace: 'chain' } })),
      ruleFiles,
      interval: `${COMPRESSION.scrapeSeconds * 1_000}ms`,
      onCrash: (message) => {
        throw new Error(message)
      },
    }),
  )
  running.defer(async () => server.stop('SIGKILL'))
  return url
}

async function compressedRules(directory: string): Promise<string[]> {
  await mkdir(directory)
  const names = await readdir(RULES_DIR)
  return Promise.all(
    names.map(async (name) => {
      const file = join(directory, name)
      await writeFile(file, compressRules(await readFile(join(RULES_DIR, name), 'utf8'), COMPRESSION))
      return file
    }),
  )
}
