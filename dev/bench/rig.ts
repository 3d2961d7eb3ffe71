/** The parts of a benchmark: a stack, an upstream and the service, each in its own process. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import kafkajs, { type Admin, type Kafka, type Producer } from 'kafkajs'
import { applyPatches } from '../../src/adapters/kafka/kafkajs/patches.ts'
import type { Delivery } from '../../src/core/delivery.ts'
import { startCommand, type Env } from '../harness/commands.ts'
import { createEnvironment, prepareEnvironment, type Environment } from '../harness/environment.ts'
import { avroEncoder, eventFor, type EncodeEvent } from '../harness/events.ts'
import { patchFetch } from '../harness/patch-fetch.ts'
import { SERVICE, startServiceProcess, type ServiceProcess } from '../harness/service.ts'
import { FEW_ARENAS, SMALL_HEAP } from '../harness/small-heap.ts'
import { startStack } from '../stack/stack.ts'

export type UpstreamKind = 'simulator' | 'lean'

export interface Rig {
  readonly environment: Environment
  readonly service: ServiceProcess
  readonly kafka: Kafka
  readonly admin: Admin
  readonly producer: Producer
  readonly encode: EncodeEvent
  stop(): Promise<void>
}

/** The service, or the hand-written consumer in its place. */
export type Contender = 'service' | 'hand-rolled'

export interface RigOptions {
  readonly contender: Contender
  readonly delivery: Delivery
  readonly upstream: UpstreamKind
  readonly heap: HeapKind
  readonly report: (line: string) => void
}

const LATENCY_MS = 20
/**
 * `small` is the heap of a 256 MB container. `default` lets V8 size its heap by the machine's memory and collect
 * late.
 */
export type HeapKind = 'small' | 'default'
const HEAP_FLAGS: Readonly<Record<HeapKind, readonly string[]>> = {
  small: SMALL_HEAP,
  default: [],
}
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

export async function startRig(options: RigOptions): Promise<Rig> {
  const { contender, delivery, upstream, heap, report } = options
  const stack = await startStack({ onProgress: report, kafkaJavaOptions: BROKER_JAVA })
  const server = upstream === 'lean' ? await startLean() : await startSimulator()
  const environment = createEnvironment(
    { ...stack, endpoint: server.url, settings: { ...SETTINGS, KAFKA_DELIVERY: delivery } },
    { shared: false },
  )
  await prepareEnvironment(environment)
  // Kafka clients of the rig share the cores with the service, so they must use little CPU.
  applyPatches('request-queue')
  patchFetch()
  const kafka = new kafkajs.Kafka({ brokers: [...stack.brokers], logLevel: kafkajs.logLevel.NOTHING })
  const admin = kafka.admin()
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await Promise.all([admin.connect(), producer.connect()])
  const program = [...HEAP_FLAGS[heap], ...PROGRAMS[contender]]
  const service = await startTwice({ ...environment.env, ...FEW_ARENAS }, program)
  return {
    environment,
    service,
    kafka,
    admin,
    producer,
    encode: await avroEncoder(stack.registryUrl, environment.topics.input),
    stop: async () => {
      await service.stop()
      await Promise.all([admin.disconnect(), producer.disconnect(), server.stop()])
      await stack.stop()
    },
  }
}

/** The first start fills the compile cache. Without it, the TypeScript compiler alone takes 18 MB. */
async function startTwice(env: Env, program: readonly string[]): Promise<ServiceProcess> {
  const first = await startServiceProcess(env, program)
  await first.ready()
  await first.stop()
  const service = await startServiceProcess(env, program)
  await service.ready()
  return service
}

interface Upstream {
  readonly url: string
  stop(): Promise<unknown>
}

async function startSimulator(): Promise<Upstream> {
  const latency = String(LATENCY_MS)
  const running = startCommand(['simulate', '--port', '0', '--qps', 'unlimited', '--latency', latency], {})
  const [, url = ''] = await running.line(/CHECKRESULT_ENDPOINT=(\S+)/)
  return { url, stop: () => running.stop() }
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

/** A message whose record timestamp is the event's `completedAt`. */
export function message(
  encode: EncodeEvent,
  number: number,
): { key: string; value: Buffer; timestamp: string } {
  const event = eventFor(scenario, number)
  return { key: event.transactionId, value: encode(event), timestamp: String(event.completedAt) }
}

/** The number of input events whose outputs are committed. */
export async function committed({ admin, environment }: Rig): Promise<number> {
  const [topic] = await admin.fetchOffsets({
    groupId: environment.groupId,
    topics: [environment.topics.input],
  })
  return topic?.partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0) ?? 0
}
