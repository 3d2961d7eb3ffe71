/**
 * Sets up one scenario: its topics and consumer group on the cluster, a simulator, replicas as processes, a steady
 * stream of events, and the ledger of their outputs.
 */
import type { Admin, Kafka, Message } from 'kafkajs'
import type { Env } from '../../dev/harness/commands.ts'
import type { Environment } from '../../dev/harness/environment.ts'
import { eventFor } from '../../dev/harness/events.ts'
import type { Cluster } from '../../dev/stack/cluster.ts'
import { startSimulator, type Simulator } from '../../simulator/simulator.ts'
import { createKnownTopics } from '../../src/adapters/kafka/admin/topics.ts'
import { Bed } from '../support/bed.ts'
import type { Replica } from '../support/fleet.ts'
import { watchCommitted, type Outputs } from '../support/kafka.ts'
import { isSentinel, readToTheEnd } from '../support/outputs.ts'
import { SIMULATOR_KEY } from '../support/run.ts'
import { until } from '../support/until.ts'
import { describeHoldUps } from './hold-ups.ts'
import { earlyRetries, Ledger, type Tally } from './ledger.ts'
import { startSender, type Sender } from './sender.ts'

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

export class Stage {
  readonly simulator: Simulator
  readonly ledger: Ledger
  readonly #bed: Bed
  readonly #options: StageOptions
  readonly #outputs: Outputs
  readonly #calls: ReadonlyMap<string, readonly number[]>
  #sender: Sender | null = null
  #partitions: number

  private constructor(parts: StageParts) {
    this.#options = parts.options
    this.simulator = parts.simulator
    this.ledger = parts.ledger
    this.#bed = parts.bed
    this.#outputs = parts.outputs
    this.#calls = parts.calls
    this.#partitions = parts.partitions
  }

  get environment(): Environment {
    return this.#bed.environment
  }

  get admin(): Admin {
    return this.#bed.admin
  }

  get kafka(): Kafka {
    return this.#bed.kafka
  }

  /** Last log lines of replicas that ended unexpectedly. */
  get deaths(): readonly string[] {
    return this.#bed.fleet.deaths
  }

  static async set(options: StageOptions): Promise<Stage> {
    const { cluster, partitions = 8, replicationFactor = 3, logsDir = null } = options
    const calls = new Map<string, number[]>()
    const simulator = await startSimulator({
      credentials: SIMULATOR_KEY,
      qps: 'unlimited',
      latencyMs: 10,
      jitterMs: 20,
      onServed: (transactionId) => remember(calls, transactionId),
    })
    const bed = await Bed.set({
      stack: cluster,
      endpoint: simulator.url,
      settings: {
        CHECKRESULT_QPS: 'unlimited',
        DEFER_DELAYS: `${DELAY_MS / 1_000}s`,
        KAFKA_SESSION_TIMEOUT: '6s',
        // Shorter than the faults, but longer than the simulator needs to answer on a busy machine.
        CHECKRESULT_TIMEOUT: '5s',
        ...options.settings,
      },
      partitions,
      replicationFactor,
      beforeTopics: ({ topics }, admin) => createOutputs(topics, { admin, partitions, replicationFactor }),
      logsDir,
    })
    const ledger = new Ledger(bed.environment.topics)
    const outputs = await watchCommitted(bed.kafka, bed.outputTopics, {
      onRecord: (record) => ledger.add(record),
      // A million events do not fit into memory.
      keep: isSentinel,
      timeoutMs: OUT_WITHIN_MS,
    })
    return new Stage({ options, bed, simulator, ledger, outputs, calls, partitions })
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
    return this.#bed.fleet.start(env, nodeArgs)
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
    await until(() => this.ledger.tally(ends).lost === 0, {
      what: async () => {
        const holdUps = await describeHoldUps(this.#bed.fleet.replicas)
        const missing = this.ledger.missing(ends)
        return `${holdUps}\n${missing.length} events have no output (${missing.slice(0, 20).join(' ')})`
      },
      timeoutMs: this.#options.outWithinMs ?? OUT_WITHIN_MS,
    })
  }

  /** Kills the remaining replicas and reads the outputs to their end. */
  async tally(): Promise<Tally & { readonly early: readonly string[] }> {
    await this.killReplicas()
    const { topics } = await this.admin.fetchTopicMetadata({ topics: [...this.#bed.outputTopics] })
    await readToTheEnd(
      this.#outputs,
      await this.#bed.producer(),
      new Map(topics.map(({ name, partitions }) => [name, partitions.length])),
    )
    return {
      ...this.ledger.tally(await this.#ends()),
      early: earlyRetries(this.ledger.deferred, this.#calls, DELAY_MS),
    }
  }

  async killReplicas(): Promise<void> {
    await this.#bed.fleet.killAll()
  }

  async clear(): Promise<void> {
    await this.#sender?.stopAt(0)
    await this.killReplicas()
    await this.#outputs.close()
    await this.#bed.deleteTopics()
    await this.#bed.clear()
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
    return { key: event.transactionId, value: kind === 'poison' ? '{' : this.#bed.encode(event) }
  }
}

interface StageParts {
  readonly options: StageOptions
  readonly bed: Bed
  readonly simulator: Simulator
  readonly ledger: Ledger
  readonly outputs: Outputs
  readonly calls: ReadonlyMap<string, readonly number[]>
  readonly partitions: number
}

interface Creating {
  readonly admin: Admin
  readonly partitions: number
  readonly replicationFactor: number
}

/** The broker timestamps the outputs, because one scenario changes the clock of a replica. */
async function createOutputs(
  { result, deadLetter }: Environment['topics'],
  { admin, partitions, replicationFactor }: Creating,
): Promise<void> {
  const topics = [result, deadLetter].map((topic) => ({
    topic,
    numPartitions: partitions,
    replicationFactor,
    configEntries: [
      { name: 'message.timestamp.type', value: 'LogAppendTime' },
      { name: 'max.message.bytes', value: '2097152' },
    ],
  }))
  await createKnownTopics(admin, topics)
}

/** Timestamps of the calls for deferred events only. */
function remember(calls: Map<string, number[]>, transactionId: string): void {
  if (!transactionId.startsWith('notyet')) return
  const times = calls.get(transactionId) ?? []
  calls.set(transactionId, [...times, Date.now()])
}
