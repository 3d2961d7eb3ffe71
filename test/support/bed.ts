/**
 * The test bed of all suites: topics, schemas and a consumer group of their own on a running stack, replicas of the service as
 * processes, and clients for the test. Each suite adds the simulated API and what it measures.
 */
import type { Admin, Kafka, Producer } from 'kafkajs'
import type { Env } from '../../dev/harness/commands.ts'
import {
  createEnvironment,
  prepareEnvironment,
  type Environment,
  type StackAddresses,
} from '../../dev/harness/environment.ts'
import { avroEncoder, type EncodeEvent } from '../../dev/harness/events.ts'
import { Fleet } from './fleet.ts'
import { connectTo } from './kafka.ts'

export interface BedOptions {
  readonly stack: StackAddresses
  /** The address of the simulated API. */
  readonly endpoint: string
  readonly settings?: Env
  /** Settings for the creation of topics and schemas only. */
  readonly settingsToPrepare?: Env
  /** Without it, topics and group have their default names. Default: true. */
  readonly shared?: boolean
  readonly partitions?: number
  readonly replicationFactor?: number
  /** Called before the other topics are created. */
  readonly beforeTopics?: (environment: Environment, admin: Admin) => Promise<unknown>
  /** Folder for the logs of the replicas. */
  readonly logsDir?: string | null
  /** The beginning of their file names. Default: the group id. */
  readonly logPrefix?: string
}

export class Bed {
  readonly environment: Environment
  readonly kafka: Kafka
  readonly admin: Admin
  readonly encode: EncodeEvent
  readonly fleet: Fleet
  #producer: Promise<Producer> | null = null

  private constructor({ environment, kafka, admin, encode, fleet }: Parts) {
    this.environment = environment
    this.kafka = kafka
    this.admin = admin
    this.encode = encode
    this.fleet = fleet
  }

  /** Must be cleared, also if the test fails. */
  static async set(options: BedOptions): Promise<Bed> {
    const { stack, shared = true, partitions = 8, replicationFactor = 1, logsDir = null } = options
    const environment = createEnvironment({ ...stack, ...options }, { shared })
    const kafka = connectTo(stack.brokers)
    // For the suites that kill brokers.
    const admin = kafka.admin({ retry: { retries: 20, maxRetryTime: 1_000 } })
    await admin.connect()
    await options.beforeTopics?.(environment, admin)
    const preparing = { ...environment, env: { ...environment.env, ...options.settingsToPrepare } }
    await prepareEnvironment(preparing, partitions, replicationFactor)
    const encode = await avroEncoder(stack.registryUrl, environment.topics.input)
    const prefix = options.logPrefix ?? environment.groupId
    const fleet = new Fleet({ logs: logsDir === null ? null : { folder: logsDir, prefix } })
    return new Bed({ environment, kafka, admin, encode, fleet })
  }

  get retryTopics(): readonly string[] {
    const { env, topics } = this.environment
    return (env['DEFER_DELAYS'] ?? '').split(',').map((delay) => `${topics.retryPrefix}.${delay}`)
  }

  /** Results, dead letters and retry copies. */
  get outputTopics(): readonly string[] {
    const { result, deadLetter } = this.environment.topics
    return [result, deadLetter, ...this.retryTopics]
  }

  /** Connects when it is called first. */
  async producer(): Promise<Producer> {
    this.#producer ??= connected(this.kafka.producer())
    return this.#producer
  }

  /** Kills the replicas and disconnects. */
  async clear(): Promise<void> {
    await this.fleet.killAll()
    const producer = await this.#producer
    await Promise.all([this.admin.disconnect(), producer?.disconnect()])
  }

  /** For suites that use one stack for hours. */
  async deleteTopics(): Promise<void> {
    await this.admin.deleteTopics({ topics: [this.environment.topics.input, ...this.outputTopics] })
  }
}

type Parts = Pick<Bed, 'environment' | 'kafka' | 'admin' | 'encode' | 'fleet'>

async function connected(producer: Producer): Promise<Producer> {
  await producer.connect()
  return producer
}
