/**
 * Runs the whole service in a test: unique topics, schemas and group on the shared stack, and a simulator in this
 * process.
 */
import kafkajs, { type CompressionTypes, type Message, type Producer } from 'kafkajs'
import { inject, onTestFinished } from 'vitest'
import type { Env } from '../../dev/harness/commands.ts'
import { createEnvironment, type Environment, type StackAddresses } from '../../dev/harness/environment.ts'
import { eventFor, type EncodeEvent } from '../../dev/harness/events.ts'
import { startServiceProcess, type ServiceProcess } from '../../dev/harness/service.ts'
import { startSimulator, type Simulator, type SimulatorOptions } from '../../simulator/simulator.ts'
import { Bed, type BedOptions } from './bed.ts'
import type { Replica } from './fleet.ts'
import { watchCommitted, type Outputs, type ReadRecord } from './kafka.ts'
import { isSentinel, readToTheEnd, sourceOf, tally, type Coordinates, type Tally } from './outputs.ts'

export interface RunOptions extends Pick<
  BedOptions,
  'settings' | 'settingsToPrepare' | 'partitions' | 'beforeTopics'
> {
  /** The shared stack by default. */
  readonly stack?: StackAddresses
  readonly simulator?: Partial<SimulatorOptions>
  /** Replaces the simulator. */
  readonly endpoint?: string
  /** The brokers that the test uses itself. The settings may point the service elsewhere. */
  readonly brokers?: readonly string[]
}

export interface Run {
  readonly environment: Environment
  readonly topics: Environment['topics']
  readonly simulator: Simulator
  readonly encode: EncodeEvent
  readonly outputs: Outputs
  /**
   * Starts a replica and waits until it is ready. The given settings extend or replace those of the run. `nodeArgs`:
   * Node's own options.
   */
  startReplica(settings?: Env, nodeArgs?: readonly string[]): Promise<Replica>
  /** Spreads the messages over the partitions of the input topic. Returns the position of each, in the same order. */
  send(messages: readonly Message[], compression?: CompressionTypes): Promise<Coordinates[]>
  /** This many new events of verifications that passed. */
  sendFresh(count: number): Promise<Coordinates[]>
  /** The outputs read so far. */
  results(): ReadRecord[]
  deadLetters(): ReadRecord[]
  /** Resolves when each of these has come out at least once. */
  untilOut(sent: readonly Coordinates[]): Promise<void>
  /** Ends the remaining replicas and compares all outputs with the events that were sent. */
  tally(sent: readonly Coordinates[]): Promise<Tally>
  readonly close: () => Promise<void>
}

export const SIMULATOR_KEY = { accessKeyId: 'simulator', accessKeySecret: 'simulator-secret' } as const

const CHUNK = 2_000

/** Must be closed by the test or by the last hook of the file. */
export async function startRun(options: RunOptions = {}): Promise<Run> {
  const { partitions = 8 } = options
  const simulator = await startSimulator({
    credentials: SIMULATOR_KEY,
    qps: 'unlimited',
    latencyMs: 1,
    ...options.simulator,
  })
  const bed = await Bed.set({
    ...options,
    stack: {
      brokers: options.brokers ?? options.stack?.brokers ?? inject('brokers'),
      registryUrl: options.stack?.registryUrl ?? inject('registryUrl'),
    },
    endpoint: options.endpoint ?? simulator.url,
    settings: { CHECKRESULT_QPS: 'unlimited', DEFER_DELAYS: '1s', ...options.settings },
  })
  const { result, deadLetter } = bed.environment.topics
  const producer = await bed.producer()
  const outputs = await watchCommitted(bed.kafka, [result, deadLetter])
  return assemble({ bed, simulator, producer, outputs, partitions })
}

/** Names of topics and a group on the shared stack, which do not exist yet. Nothing answers at the address of the API. */
export function newEnvironment(settings: Env = {}, brokers = inject('brokers')): Environment {
  const stack = { brokers, registryUrl: inject('registryUrl') }
  return createEnvironment({ ...stack, endpoint: 'http://127.0.0.1:1', settings }, { shared: true })
}

/** Starts a service without waiting until it is ready. It ends with the test. */
export async function startService(env: Env, whenFinished = onTestFinished): Promise<ServiceProcess> {
  const service = await startServiceProcess(env)
  whenFinished(async () => {
    service.signal('SIGKILL')
    await service.exited
  })
  return service
}

interface Parts {
  readonly bed: Bed
  readonly simulator: Simulator
  readonly producer: Producer
  readonly outputs: Outputs
  readonly partitions: number
}

function assemble({ bed, simulator, producer, outputs, partitions }: Parts): Run {
  const { environment, encode, fleet } = bed
  const { topics } = environment
  const fresh = freshEvents(encode)
  const send: Run['send'] = (messages, compression = kafkajs.CompressionTypes.None) =>
    sendInChunks(producer, { topic: topics.input, partitions, messages, compression })
  const read = (topic: string): ReadRecord[] =>
    outputs.records.filter((record) => record.topic === topic && !isSentinel(record))
  const out = (): Coordinates[] =>
    [...read(topics.result), ...read(topics.deadLetter)].map((one) => sourceOf(one, topics))
  return {
    environment,
    topics,
    simulator,
    encode,
    outputs,
    startReplica: async (settings = {}, nodeArgs = []) => {
      const replica = await fleet.start({ ...environment.env, ...settings }, nodeArgs)
      await replica.ready()
      return replica
    },
    send,
    sendFresh: (count) => send(fresh(count)),
    results: () => read(topics.result),
    deadLetters: () => read(topics.deadLetter),
    untilOut: async (sent) => {
      const missing = new Set(sent)
      let looked = 0
      await outputs.until(() => {
        for (const record of outputs.records.slice(looked)) {
          if (!isSentinel(record)) missing.delete(sourceOf(record, topics))
        }
        looked = outputs.records.length
        return missing.size === 0
      })
    },
    tally: async (sent) => {
      await fleet.killAll()
      const counts = new Map([topics.result, topics.deadLetter].map((topic) => [topic, partitions]))
      await readToTheEnd(outputs, producer, counts)
      return tally(sent, out())
    },
    close: async () => {
      await bed.clear()
      await Promise.all([outputs.close(), simulator.close()])
    },
  }
}

function freshEvents(encode: EncodeEvent): (count: number) => Message[] {
  let number = 0
  return (count) =>
    Array.from({ length: count }, () => ({
      value: encode(eventFor({ name: 'passpassport', docType: null }, (number += 1))),
    }))
}

interface Sending {
  readonly topic: string
  readonly partitions: number
  readonly messages: readonly Message[]
  readonly compression: CompressionTypes
}

async function sendInChunks(producer: Producer, sending: Sending): Promise<Coordinates[]> {
  const { topic, partitions, messages, compression } = sending
  const coordinates: Coordinates[] = []
  for (let start = 0; start < messages.length; start += CHUNK) {
    const chunk = messages
      .slice(start, start + CHUNK)
      .map((message, at) => Object.assign({ partition: (start + at) % partitions }, message))
    const metadata = await producer.send({ topic, messages: chunk, compression })
    const next = new Map(metadata.map((one) => [one.partition, BigInt(one.baseOffset ?? '-1')]))
    for (const { partition } of chunk) {
      const offset = next.get(partition) ?? -1n
      next.set(partition, offset + 1n)
      coordinates.push(`${topic}:${partition}:${offset}`)
    }
  }
  return coordinates
}
