/**
 * The test bed of one case: its topics and consumer group on the stack, a simulator that logs arrivals, and replicas
 * as processes.
 *
 * The simulator is a process too and has real-time priority if the system allows it, because it measures: a call that
 * it reads late would count as a late call. The replicas share the CPU with Kafka.
 */
import { execFile } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import kafkajs, { type Message, type Producer } from 'kafkajs'
import { startNode, type Env, type Running } from '../../dev/harness/commands.ts'
import type { StackAddresses } from '../../dev/harness/environment.ts'
import { eventFor } from '../../dev/harness/events.ts'
import { startSimulatorProcess } from '../../dev/harness/simulator.ts'
import { Bed } from '../support/bed.ts'
import type { Replica } from '../support/fleet.ts'
import { until } from '../support/until.ts'
import { parseArrivals, type Call } from './arrivals.ts'
import type { Case } from './cases.ts'
import { SESSION_TIMEOUT_MS } from './disturbances.ts'
import { partitionsFor } from './loads.ts'
import { startPace, type Pace } from './pace.ts'
import { EVENT_SCENARIO } from './scenarios.ts'
import { standingOf, type Standing } from './standing.ts'

export interface BedOptions {
  readonly played: Case
  readonly stack: StackAddresses & { readonly dataDir: string }
  /** The Redis server with the quota, in Redis mode. */
  readonly redisUrl: string | null
  readonly guardMs: number
  readonly logsDir: string | null
}

const ANSWER_MS = 5
const DELAY = '10s'
const STEADY_WITHIN_MS = 60_000
const CHUNK = 2_000
/** `nice` alone has little effect: systems that group processes by session apply it only within the group. */
const PRIORITY = '10'

/** Unique over all cases of a run. */
let events = 0

export class QuotaBed {
  readonly #options: BedOptions
  readonly #originNs = process.hrtime.bigint()
  readonly #bed: Bed
  readonly #producer: Producer
  readonly #upstream: Upstream
  readonly #arrivalsFile: string
  readonly #clientIds = new Map<Replica, string>()
  #pace: Pace | null = null
  #started = 0

  private constructor(options: BedOptions, { bed, producer, upstream, arrivalsFile }: Parts) {
    this.#options = options
    this.#bed = bed
    this.#producer = producer
    this.#upstream = upstream
    this.#arrivalsFile = arrivalsFile
  }

  static async set(options: BedOptions): Promise<QuotaBed> {
    const { played, stack, logsDir } = options
    if (logsDir !== null) await mkdir(logsDir, { recursive: true })
    const arrivalsFile = join(logsDir ?? stack.dataDir, `${played.name}.arrivals`)
    const upstream = await startUpstream(played, arrivalsFile)
    const bed = await Bed.set({
      stack,
      endpoint: upstream.endpoint,
      settings: settingsOf(options),
      partitions: partitionsFor(played.load),
      logsDir,
      logPrefix: played.name,
    })
    return new QuotaBed(options, { bed, producer: await bed.producer(), upstream, arrivalsFile })
  }

  /** Nanoseconds since the bed was set up, by the clock of the arrival log. */
  nowNs(): number {
    return Number(process.hrtime.bigint() - this.#originNs)
  }

  get deaths(): readonly string[] {
    return this.#bed.fleet.deaths
  }

  get endpoint(): string {
    return this.#upstream.endpoint
  }

  /** `counts`: number of events for each partition. */
  async fill(backlog: readonly number[]): Promise<void> {
    const { topics } = this.#bed.environment
    for (const [partition, count] of backlog.entries()) {
      for (let at = 0; at < count; at += CHUNK) {
        const messages = Array.from({ length: Math.min(CHUNK, count - at) }, () => ({
          ...this.#message(),
          partition,
        }))
        await this.#producer.send({ topic: topics.input, messages })
      }
    }
  }

  startPace(perSecond: number): void {
    const message = (): Message => this.#message()
    const { input } = this.#bed.environment.topics
    this.#pace = startPace({ producer: this.#producer, topic: input, perSecond, message })
  }

  /** Resolves when it is ready. */
  async startReplica(): Promise<Replica> {
    this.#started += 1
    const clientId = `replica-${this.#started}`
    const replica = await this.#bed.fleet.start({ ...this.#bed.environment.env, KAFKA_CLIENT_ID: clientId })
    this.#clientIds.set(replica, clientId)
    await replica.ready()
    return replica
  }

  /** Resolves when every replica is a member of the group and their shares sum to N. */
  async untilSteady(): Promise<void> {
    const { permits, mode } = this.#options.played
    const { admin, environment } = this.#bed
    const steady = async (): Promise<boolean> => {
      const { groups } = await admin.describeGroups([environment.groupId])
      const [group] = groups
      if (group?.state !== 'Stable' || group.members.length !== this.#bed.fleet.replicas.size) return false
      if (mode === 'redis') return true
      const standings = await this.standings([])
      return [...standings.values()].reduce((sum, { share }) => sum + share, 0) === permits
    }
    await until(steady, {
      what: () => 'The shares of the replicas do not sum to N',
      timeoutMs: STEADY_WITHIN_MS,
    })
  }

  /** The metrics of all running replicas. `busy`: partitions with work. */
  async standings(busy: readonly number[]): Promise<ReadonlyMap<Replica, Standing>> {
    const held = await this.#held()
    const standings = [...this.#bed.fleet.replicas].map(async (replica) => {
      const exposition = await replica.metrics()
      const partitions = held.get(this.#clientIds.get(replica) ?? '') ?? []
      const hasWork = partitions.some((partition) => busy.includes(partition))
      return [replica, standingOf(exposition, this.nowNs(), hasWork)] as const
    })
    return new Map(await Promise.all(standings))
  }

  /** Number of uncommitted events of each partition. */
  async left(): Promise<ReadonlyMap<number, number>> {
    const { admin, environment } = this.#bed
    const { input } = environment.topics
    const ends = await admin.fetchTopicOffsets(input)
    const [committed] = await admin.fetchOffsets({ groupId: environment.groupId, topics: [input] })
    const done = new Map(committed?.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
    return new Map(
      ends.map(({ partition, high }) => [partition, Number(high) - Math.max(0, done.get(partition) ?? 0)]),
    )
  }

  /** Ends everything but the topics. Returns the arrived calls in order. */
  async calls(): Promise<readonly Call[]> {
    await this.#pace?.stop()
    await this.#bed.fleet.killAll()
    const code = await this.#upstream.stop()
    if (code !== 0) throw new Error(`The simulator exited with code ${code}.`)
    return parseArrivals(await readFile(this.#arrivalsFile, 'utf8'), this.#originNs)
  }

  async clear(): Promise<void> {
    await this.#pace?.stop().catch(() => undefined)
    await this.#bed.fleet.killAll()
    await this.#upstream.stop()
    await this.#bed.deleteTopics()
    await this.#bed.clear()
  }

  /** Partitions of the input topic by the client id of their owner. */
  async #held(): Promise<ReadonlyMap<string, readonly number[]>> {
    const { admin, environment } = this.#bed
    const { groups } = await admin.describeGroups([environment.groupId])
    const members = groups[0]?.members ?? []
    return new Map(
      members.map(({ clientId, memberAssignment }) => [
        clientId,
        kafkajs.AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment[
          environment.topics.input
        ] ?? [],
      ]),
    )
  }

  #message(): Message {
    events += 1
    const event = eventFor({ name: EVENT_SCENARIO, docType: null }, events)
    return { key: event.transactionId, value: this.#bed.encode(event) }
  }
}

interface Parts {
  readonly bed: Bed
  readonly producer: Producer
  readonly upstream: Upstream
  readonly arrivalsFile: string
}

function settingsOf({ played, redisUrl, guardMs }: BedOptions): Env {
  return {
    CHECKRESULT_QPS: String(played.permits),
    CHECKRESULT_QPS_GUARD: `${guardMs}ms`,
    CHECKRESULT_QUOTA: played.mode,
    KAFKA_SESSION_TIMEOUT: `${SESSION_TIMEOUT_MS}ms`,
    DEFER_DELAYS: DELAY,
    ...(redisUrl === null ? {} : { REDIS_URL: redisUrl, CHECKRESULT_QUOTA_KEY: `quota-rig:${played.name}` }),
  }
}

interface Upstream {
  /** The simulator, or the delaying proxy in front of it. */
  readonly endpoint: string
  /** The simulator's exit code. */
  stop(): Promise<number | null>
}

async function startUpstream(
  { permits, answerJitterMs = 0, networkJitterMs = 0 }: Case,
  arrivalsFile: string,
): Promise<Upstream> {
  const timing = { latency: ANSWER_MS, jitter: answerJitterMs }
  const simulator = await startSimulatorProcess({ qps: permits, ...timing, arrivals: arrivalsFile })
  prioritize(simulator)
  const { url } = simulator
  if (networkJitterMs === 0) return { endpoint: url, stop: () => simulator.stop() }
  const program = fileURLToPath(new URL('programs/jittery-proxy.ts', import.meta.url))
  const proxy = startNode([program, new URL(url).port, String(networkJitterMs)], {})
  prioritize(proxy)
  const [, port = ''] = await proxy.line(/port (\d+)/)
  return {
    endpoint: `http://127.0.0.1:${port}`,
    stop: async () => {
      await proxy.stop()
      return simulator.stop()
    },
  }
}

/** Gives the process real-time priority. */
function prioritize({ pid }: Running): void {
  execFile('chrt', ['--all-tasks', '--fifo', '--pid', PRIORITY, String(pid)], () => {
    // If the system does not allow this or `chrt` is missing, the simulator runs at normal priority.
  })
}
