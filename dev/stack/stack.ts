/**
 * A real Kafka and a real schema registry on free loopback ports, for tests, demo and benchmark. Several can run side
 * by side. Nothing is left behind, however the process that started it ends.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findJava } from './java.ts'
import { startKafka } from './kafka.ts'
import { providePrograms } from './programs.ts'
import { startRegistry } from './registry.ts'
import { PortTakenError, type Server } from './server.ts'

export interface StackOptions {
  /** Broker properties added to the stack's own, or put in their place. */
  readonly kafkaProperties?: Readonly<Record<string, string>>
  /** For the broker's Java. */
  readonly kafkaJavaOptions?: readonly string[]
  /** More listeners of the broker; what they ask of clients is a matter of the properties. */
  readonly kafkaListeners?: readonly string[]
  /** Told in a sentence what takes its time. */
  readonly onProgress?: (line: string) => void
  /** Told when a server ends by itself. By default that ends this process as an uncaught error. */
  readonly onCrash?: (message: string) => void
}

export interface Stack {
  readonly brokers: readonly string[]
  /** Where the broker's other listeners are, by their names. */
  readonly listeners: ReadonlyMap<string, string>
  /** The registry's Confluent-compatible API. */
  readonly registryUrl: string
  /** Logs and data of both; deleted by `stop`. */
  readonly dataDir: string
  /** Started again, it has the same port and data. */
  readonly kafka: Server
  /** Started again, it has the same port and no schemas. */
  readonly registry: Server
  readonly stop: () => Promise<void>
}

const PORT_ATTEMPTS = 5

/** Returns when both answer. Throws a StackError when something is missing or does not start. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const report = options.onProgress ?? (() => {})
  const java = await findJava()
  const { kafkaDir, registryDir } = await providePrograms(report)
  const dataDir = await mkdtemp(join(tmpdir(), 'checkresult-stream-'))
  const jvm = { java, scratchDir: dataDir, onCrash: options.onCrash ?? endProcess }
  const { kafkaProperties: properties = {}, kafkaListeners: listeners = [] } = options
  const { kafkaJavaOptions: javaOptions = [] } = options

  report('Starting Kafka and the schema registry ...')
  const [kafka, registry] = await Promise.allSettled([
    onFreePorts(async (attempt) =>
      startKafka({
        ...jvm,
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
    // Nobody will read the data again, so nothing is gained by an orderly end.
    const started = [kafka, registry].filter((result) => result.status === 'fulfilled')
    await Promise.all(started.map(async ({ value }) => value.server.stop('SIGKILL')))
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

/** Ports are chosen before the programs start, so another stack may take one in between. */
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
