/**
 * Sets up one scenario: its topics and consumer group on the cluster, a simulator, replicas as processes, a steady
 * stream of events, and the ledger of their outputs.
 */
import { runCommand, type Env } from '../../dev/harness/commands.ts'
import { createEnvironment, type Environment } from '../../dev/harness/environment.ts'
import { avroEncoder, eventFor, type EncodeEvent } from '../../dev/harness/events.ts'
import type { Cluster } from '../../dev/stack/cluster.ts'
import { createKafkaClient } from '../../src/adapters/kafka/client.ts'
import { createKnownTopics } from '../../src/adapters/kafka/admin/topics.ts'
import { startSimulator, type Simulator } from '../../simulator/simulator.ts'
import type { Admin, Kafka, Message } from 'kafkajs'
import { Fleet, type Replica } from '../support/fleet.ts'
import { readToTheEnd } from '../support/outputs.ts'
import type { ReadRecord } from '../support/kafka.ts'
import { describeHoldUps } from './hold-ups.ts'
import { earlyRetries, Ledger, type Tally } from './ledger.ts'
import { startSender, type Sender } from './sender.ts'
import { until } from '../support/until.ts'
import { watch, type Watch } from './watch.ts'

export interface StageOptions {
  readonly cluster: Pick<Cluster, 'brokers' | 'proxiedBrokers' | 'registryUrl' | 'proxiedRegistryUrl'>
  readonly perSecond: number
  readonly partitions?: number
  readonly replicationFactor?: number
  /** Settings that add to or replace the default ones. */
  readonly settings?: Env
  /** Folder for the log of each replica, written when the replica ends. */
  readonly logsDir?: string | null
  /** Time limit for the last outputs. */
  readonly outWithinMs?: number
  /** Names of simulator scenarios, used in turn. `poison` is an invalid event. */
  readonly kinds: readonly string[]
}

export interface ReplicaOptions {
  /** Routes its connections to the brokers and the registry through the proxies. */
  readonly proxied?: boolean
  readonly nodeArgs?: readonly string[]
}

const DELAY_MS = 1_000
const OUT_WITHIN_MS = 120_000
const FIRST_OUT_WITHIN_MS = 60_000
/** A client of the test itself. Its log is off, because the figures show every failure. */
const silent = { info: () => {}, warn: () => {}, error: () => {} }

export class Stage {
  readonly environment: Environment
  readonly simulator: Simulator
  readonly kafka: Kafka
  readonly admin: Admin
  readonly ledger: Ledger
  readonly #fleet: Fleet
  readonly #options: StageOptions
  readonly #encode: EncodeEvent
  readonly #watch: Watch
  readonly #calls: ReadonlyMap<string, readonly number[]>
  readonly #sentinels: ReadRecord[]
  #sender: Sender | null = null
  #partitions: number

  private constructor(parts: StageParts) {
    this.#options = parts.options
    this.environment = parts.environment
    this.simulator = parts.simulator
    this.kafka = parts.kafka
    this.admin = parts.admin
    this.ledger = parts.ledger
    this.#encode = parts.encode
    this.#watch = parts.watch
    this.#calls = parts.calls
    this.#sentinels = parts.sentinels
    this.#partitions = parts.partitions
    const { logsDir = null } = parts.options
    this.#fleet = new Fleet({
      logs: logsDir === null ? null : { folder: logsDir, prefix: parts.environment.groupId },
    })
  }

  /** Last log lines of replicas that ended unexpectedly. */
  get deaths(): readonly string[] {
    return this.#fleet.deaths
  }

  static async set(options: StageOptions): Promise<Stage> {
    const { cluster, partitions = 8 } = options
    const calls = new Map<string, number[]>()
    const simulator = await startSimulator({
      credentials: { accessKeyId: 'simulator', accessKeySecret: 'simulator-secret' },
      qps: 'unlimited',
      latencyMs: 10,
      jitterMs: 20,
      onServed: (transactionId) => remember(calls, transactionId),
    })
    const environment = createEnvironment(
      {
        brokers: cluster.brokers,
        registryUrl: cluster.registryUrl,
        endpoint: simulator.url,
        settings: {
          CHECKRESULT_QPS: 'unlimited',
          DEFER_DELAYS: `${DELAY_MS / 1_000}s`,
          KAFKA_SESSION_TIMEOUT: '6s',
          // Shorter than the faults, but longer than the simulator needs to answer on a busy machine.
          CHECKRESULT_TIMEOUT: '5s',
          ...options.settings,
        },
      },
      { shared: true },
    )
    const { kafka } = createKafkaClient(
      { brokers: cluster.brokers, clientId: 'chaos', tls: null, sasl: null },
      silent,
    )
    const admin = kafka.admin({ retry: { retries: 20, maxRetryTime: 1_000 } })
    await admin.connect()
    const { topics } = environment
    await prepare(environment, { admin, partitions, replicationFactor: options.replicationFactor ?? 3 })
    const ledger = new Ledger(topics)
    const sentinels: ReadRecord[] = []
    const watched = await watch(kafka, outputTopics(environment), (record) => {
      ledger.add(record)
      if (record.value?.length === 0) sentinels.push(record)
    })
    const encode = await avroEncoder(cluster.registryUrl, topics.input)
    return new Stage({
      options,
      environment,
      simulator,
      kafka,
      admin,
      ledger,
      encode,
      watch: watched,
      calls,
      sentinels,
      partitions,
    })
  }

  /** Starts a replica. Resolves when it listens, which is before it is ready. */
  async startReplica({ proxied = false, nodeArgs = [] }: ReplicaOptions = {}): Promise<Replica> {
    const { cluster } = this.#options
    const env = proxied
      ? {
          ...this.environment.env,
          KAFKA_BROKERS: cluster.proxiedBrokers.join(),
          SCHEMA_REGISTRY_URL: cluster.proxiedRegistryUrl,
        }
      : this.environment.env
    return this.#fleet.start(env, nodeArgs)
  }

  async startReplicas(count: number, options: ReplicaOptions = {}): Promise<Replica[]> {
    const replicas = await Promise.all(Array.from({ length: count }, async () => this.startReplica(options)))
    await Promise.all(replicas.map(async (replica) => replica.ready()))
    return replicas
  }

  /** Starts the events. Resolves when the first outputs have been read. */
  async startEvents(): Promise<void> {
    this.#sender = await startSender({
      kafka: this.kafka,
      topic: this.environment.topics.input,
      partitions: () => this.#partitions,
      perSecond: this.#options.perSecond,
      message: (number) => this.#message(number),
    })
    await until(() => this.ledger.outputs > this.#options.perSecond, {
      what: () => `Only ${this.ledger.outputs} outputs were read`,
      timeoutMs: FIRST_OUT_WITHIN_MS,
    })
  }

  get sent(): number {
    return this.#sender?.sent() ?? 0
  }

  /** Sends further events to this many partitions. */
  spreadOver(partitions: number): void {
    this.#partitions = partitions
  }

  /** Sends at least this many events, then waits until every one has an output. */
  async untilOut(events: number): Promise<void> {
    await this.#sender?.stopAt(events)
    const ends = await this.#ends()
    const lost = (): number => this.ledger.tally(ends).lost
    await until(() => lost() === 0, {
      what: async () => `${await describeHoldUps(this.#fleet.replicas)}\n${lost()} events have no output`,
      timeoutMs: this.#options.outWithinMs ?? OUT_WITHIN_MS,
    })
  }

  /** Kills the remaining replicas and reads the outputs to their end. */
  async tally(): Promise<Tally & { readonly early: readonly string[] }> {
    await this.killReplicas()
    const producer = this.kafka.producer()
    await producer.connect()
    const { admin, environment } = this
    const { topics } = await admin.fetchTopicMetadata({ topics: outputTopics(environment) })
    await readToTheEnd(
      {
        records: this.#sentinels,
        until: async (enough) =>
          until(enough, { what: () => 'The outputs were not read to their end', timeoutMs: OUT_WITHIN_MS }),
        close: async () => {},
      },
      producer,
      new Map(topics.map(({ name, partitions }) => [name, partitions.length])),
    )
    await producer.disconnect()
    return {
      ...this.ledger.tally(await this.#ends()),
      early: earlyRetries(this.ledger.deferred, this.#calls, DELAY_MS),
    }
  }

  async killReplicas(): Promise<void> {
    await this.#fleet.killAll()
  }

  async clear(): Promise<void> {
    await this.#sender?.stopAt(0)
    await this.killReplicas()
    await this.#watch.close()
    const { input } = this.environment.topics
    await this.admin.deleteTopics({ topics: [input, ...outputTopics(this.environment)] })
    await this.admin.disconnect()
    await this.simulator.close()
  }

  async #ends(): Promise<ReadonlyMap<number, number>> {
    const offsets = await this.admin.fetchTopicOffsets(this.environment.topics.input)
    return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]))
  }

  #message(number: number): Message {
    const { kinds } = this.#options
    const kind = kinds[number % kinds.length] ?? ''
    const event = eventFor({ name: kind, docType: null }, number)
    return { key: event.transactionId, value: kind === 'poison' ? '{' : this.#encode(event) }
  }
}

interface StageParts {
  readonly options: StageOptions
  readonly environment: Environment
  readonly simulator: Simulator
  readonly kafka: Kafka
  readonly admin: Admin
  readonly ledger: Ledger
  readonly encode: EncodeEvent
  readonly watch: Watch
  readonly calls: ReadonlyMap<string, readonly number[]>
  readonly sentinels: ReadRecord[]
  readonly partitions: number
}

interface Preparing {
  readonly admin: Admin
  readonly partitions: number
  readonly replicationFactor: number
}

/**
 * Uses the commands that a user would run. The broker timestamps the outputs, because one scenario changes the clock
 * of a replica.
 */
async function prepare(
  { env, topics }: Environment,
  { admin, partitions, replicationFactor }: Preparing,
): Promise<void> {
  const outputs = [topics.result, topics.deadLetter].map((topic) => ({
    topic,
    numPartitions: partitions,
    replicationFactor,
    configEntries: [
      { name: 'message.timestamp.type', value: 'LogAppendTime' },
      { name: 'max.message.bytes', value: '2097152' },
    ],
  }))
  await createKnownTopics(admin, outputs)
  const wide = ['--partitions', String(partitions), '--replication-factor', String(replicationFactor)]
  await command(['topics', 'create', ...wide], env)
  await command(['schemas', 'register'], env)
}

export async function command(args: readonly string[], env: Env): Promise<void> {
  const { code, stderr } = await runCommand(args, env)
  if (code !== 0) throw new Error(`${args.join(' ')} exited with code ${code}: ${stderr}`)
}

function outputTopics({ topics }: Environment): string[] {
  return [topics.result, topics.deadLetter, `${topics.retryPrefix}.${DELAY_MS / 1_000}s`]
}

/** Timestamps of the calls for deferred events only. */
function remember(calls: Map<string, number[]>, transactionId: string): void {
  if (!transactionId.startsWith('notyet')) return
  const times = calls.get(transactionId) ?? []
  calls.set(transactionId, [...times, Date.now()])
}
