/**
 * A real Kafka and a real schema registry on free loopback ports, for tests, demo and benchmark. Several can run in
 * parallel. Nothing is left behind, however the process that started it ends.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findJava } from './java.ts'
import { startKafka } from './kafka.ts'
import { stackKafka } from './kafka-version.ts'
import { providePrograms } from './programs.ts'
import { startRegistry } from './registry.ts'
import { PortTakenError, type Server } from './server.ts'

export interface StackOptions {
  /** The version of Kafka; by default that of STACK_KAFKA_VERSION, or the pinned one. */
  readonly kafkaVersion?: string
  /** Broker properties that extend or replace the stack's own. */
  readonly kafkaProperties?: Readonly<Record<string, string>>
  /** Options for the broker's JVM. */
  readonly kafkaJavaOptions?: readonly string[]
  /** More listeners of the broker. Their security is set in the properties. */
  readonly kafkaListeners?: readonly string[]
  /** Receives a message before each slow step. */
  readonly onProgress?: (line: string) => void
  /** Called if a server ends by itself. By default, that ends this process as an uncaught error. */
  readonly onCrash?: (message: string) => void
}

export interface Stack {
  readonly brokers: readonly string[]
  /** Addresses of the broker's other listeners, by name. */
  readonly listeners: ReadonlyMap<string, string>
  /** The registry's Confluent-compatible API. */
  readonly registryUrl: string
  /** Logs and data of both; deleted by `stop`. */
  readonly dataDir: string
  /** Keeps its port and data when it is started again. */
  readonly kafka: Server
  /** Keeps its port when it is started again, and is empty. */
  readonly registry: Server
  readonly stop: () => Promise<void>
}

const PORT_ATTEMPTS = 5

/** Resolves when both answer. Throws a StackError if something is missing or does not start. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const report = options.onProgress ?? (() => {})
  const java = await findJava()
  const { kafkaVersion: version = stackKafka() } = options
  const { kafkaDir, registryDir } = await providePrograms(report, version)
  const dataDir = await mkdtemp(join(tmpdir(), 'checkresult-stream-'))
  const jvm = { java, scratchDir: dataDir, onCrash: options.onCrash ?? endProcess }
  const { kafkaProperties: properties = {}, kafkaListeners: listeners = [] } = options
  const { kafkaJavaOptions: javaOptions = [] } = options

  report(`Starting Kafka ${version} and the schema registry ...`)
  const [kafka, registry] = await Promise.allSettled([
    onFreePorts(async (attempt) =>
      startKafka({
        ...jvm,
        version,
        jarsDir: kafkaDir,
        directory: join(dataDir, `kafka-${attempt}`),
        properties,
        listeners,
        javaOptions,
      }),
    ),
    onFreePorts(async () =>
      startRegistry({ ...jvm, programDir: registryDir, directory: join(dataDir, 'registry') }),
    ),
  ])
  const stop = async (): Promise<void> => {
    await Promise.all([
      kafka.status === 'fulfilled' ? kafka.value.stop() : null,
      registry.status === 'fulfilled' ? registry.value.server.stop('SIGKILL') : null,
    ])
    await rm(dataDir, { recursive: true, force: true, maxRetries: 3 })
  }
  try {
    return {
      brokers: [valueOf(kafka).broker],
      listeners: valueOf(kafka).others,
      registryUrl: valueOf(registry).url,
      dataDir,
      kafka: valueOf(kafka).server,
      registry: valueOf(registry).server,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function valueOf<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason
  return result.value
}

/** Tries again with other ports if another process takes one between its choice and the start. */
export async function onFreePorts<T>(start: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(attempt)
    } catch (error) {
      if (!(error instanceof PortTakenError) || attempt === PORT_ATTEMPTS) throw error
    }
  }
}

export function endProcess(message: string): never {
  throw new Error(message)
}
