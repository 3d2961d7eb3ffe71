/** The parts of a benchmark: a stack and an upstream, each in its own process, and topics for each width. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import kafkajs, { type Admin, type Kafka, type Producer } from 'kafkajs'
import { applyPatches } from '../../src/adapters/kafka/kafkajs/patches.ts'
import { createEnvironment, prepareEnvironment, type Environment } from '../harness/environment.ts'
import { avroEncoder, eventFor, type EncodeEvent } from '../harness/events.ts'
import { patchFetch } from '../harness/patch-fetch.ts'
import { startSimulatorProcess } from '../harness/simulator.ts'
import { SERVICE, startServiceProcess, type ServiceProcess } from '../harness/service.ts'
import { FEW_ARENAS, SMALL_HEAP } from '../harness/small-heap.ts'
import { startStack } from '../stack/stack.ts'
import type { Contender, Options } from './options.ts'

export interface Rig {
  /** Creates topics with so many partitions. */
  open(partitions: number): Promise<Width>
  stop(): Promise<void>
}

/** Topics with the same number of partitions, and a group that both contenders use in turns. */
export interface Width {
  readonly partitions: number
  readonly environment: Environment
  readonly kafka: Kafka
  readonly admin: Admin
  readonly producer: Producer
  readonly brokerPort: number
  readonly encode: EncodeEvent
}

const LATENCY_MS = 20
/**
 * Kafka's own collector settings, but with twice the heap and a fixed young generation. With automatic sizing, the
 * JVM collects every 1.6 s on two cores and pauses for 10-15 ms, which would determine the p99.
 */
const BROKER_JAVA = [
  '-XX:-UseSerialGC',
  '-XX:+UseG1GC',
  '-XX:+AlwaysPreTouch',
  '-Xms2g',
  '-Xmx2g',
  '-Xmn1536m',
]
const PROGRAMS: Readonly<Record<Contender, readonly string[]>> = {
  service: SERVICE,
  'hand-rolled': [fileURLToPath(new URL('hand-rolled.ts', import.meta.url))],
}
const SETTINGS = { CHECKRESULT_QPS: 'unlimited', CHECKRESULT_MAX_IN_FLIGHT: '256' }

export async function startRig(
  { delivery, upstream }: Pick<Options, 'delivery' | 'upstream'>,
  onProgress: (line: string) => void,
): Promise<Rig> {
  const stack = await startStack({ onProgress, kafkaJavaOptions: BROKER_JAVA })
  const server =
    upstream === 'lean'
      ? await startLean()
      : await startSimulatorProcess({ qps: 'unlimited', latency: LATENCY_MS })
  // Kafka clients of the rig share the cores with the service, so they must use little CPU.
  applyPatches('request-queue')
  patchFetch()
  const kafka = new kafkajs.Kafka({ brokers: [...stack.brokers], logLevel: kafkajs.logLevel.NOTHING })
  const admin = kafka.admin()
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await Promise.all([admin.connect(), producer.connect()])
  const settings = { ...SETTINGS, KAFKA_DELIVERY: delivery }
  const brokerPort = Number(stack.brokers[0]?.split(':')[1])
  return {
    open: async (partitions) => {
      const environment = createEnvironment({ ...stack, endpoint: server.url, settings }, { shared: true })
      await prepareEnvironment(environment, partitions)
      const encode = await avroEncoder(stack.registryUrl, environment.topics.input)
      return { partitions, environment, kafka, admin, producer, brokerPort, encode }
    },
    stop: async () => {
      await Promise.all([admin.disconnect(), producer.disconnect(), server.stop()])
      await stack.stop()
    },
  }
}

/** Resolves when the process has printed its address. */
export async function startContender({ environment }: Width, contender: Contender): Promise<ServiceProcess> {
  return startServiceProcess({ ...environment.env, ...FEW_ARENAS }, [...SMALL_HEAP, ...PROGRAMS[contender]])
}

/** A process that was killed stays in the group until its session times out. */
export async function groupIsEmpty({ admin, environment }: Width): Promise<boolean> {
  const { groups } = await admin.describeGroups([environment.groupId])
  return groups.every(({ members }) => members.length === 0)
}

interface Upstream {
  readonly url: string
  stop(): Promise<unknown>
}

async function startLean(): Promise<Upstream> {
  const program = fileURLToPath(new URL('lean-upstream.ts', import.meta.url))
  const child = spawn(process.execPath, [program, String(LATENCY_MS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return {
    url: line.toString().trim(),
    stop: async () => {
      const exited = once(child, 'exit')
      child.kill()
      await exited
    },
  }
}

const scenario = { name: 'passhkid2018', docType: '00000008' }
/** Makes each transaction unique, because the service recognizes repeats. */
let nextNumber = 0

/** A message whose record timestamp is the event's `completedAt`. */
export function message({ encode }: Width): { key: string; value: Buffer; timestamp: string } {
  const event = eventFor(scenario, nextNumber++)
  return { key: event.transactionId, value: encode(event), timestamp: String(event.completedAt) }
}

/** The number of input events whose outputs are committed. */
export async function committed({ admin, environment }: Width): Promise<number> {
  const [topic] = await admin.fetchOffsets({
    groupId: environment.groupId,
    topics: [environment.topics.input],
  })
  return topic?.partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0) ?? 0
}

/** The number of input events. */
export async function written({ admin, environment }: Width): Promise<number> {
  const partitions = await admin.fetchTopicOffsets(environment.topics.input)
  return partitions.reduce((sum, { high }) => sum + Number(high), 0)
}
