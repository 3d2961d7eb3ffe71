/** What the service knows of its topics: looked at before each start, and kept for the outputs. */
import { DEFAULT_MAX_MESSAGE_BYTES } from './adapters/kafka/batches.ts'
import type { KafkaClient } from './adapters/kafka/client.ts'
import type { Packing } from './adapters/kafka/produce.ts'
import { inspectTopics, withAdmin, type TopicNames } from './adapters/kafka/topics.ts'
import type { Codec } from './core/compression.ts'
import type { Log } from './ports.ts'

export class KnownTopics {
  readonly names: TopicNames
  readonly #log: Log
  readonly #partitions = new Map<string, number>()
  readonly #maxMessageBytes = new Map<string, number>()
  /** Messages that are in the log already: the start is retried, and they need not come again. */
  readonly #noticed = new Set<string>()

  constructor(names: TopicNames, log: Log) {
    this.names = names
    this.#log = log
  }

  /** Rejects with a message that says what to do. */
  async inspect({ kafka }: KafkaClient): Promise<void> {
    const { partitions, maxMessageBytes, notices } = await withAdmin(kafka, (admin) =>
      inspectTopics(admin, this.names),
    )
    for (const [topic, count] of partitions) this.#partitions.set(topic, count)
    for (const [topic, bytes] of maxMessageBytes) this.#maxMessageBytes.set(topic, bytes)
    for (const { level, message } of notices) {
      if (!this.#noticed.has(message)) this.#log[level](message)
      this.#noticed.add(message)
    }
  }

  /** Topics grow while the service runs: each claim says what it finds. */
  setPartitions(topic: string, partitions: number): void {
    this.#partitions.set(topic, partitions)
  }

  partitions(topic: string): number {
    return this.#partitions.get(topic) ?? 1
  }

  /** `max.message.bytes` is that of the last start, and the broker's default for a topic whose settings are not known. */
  packing(compression: Codec): Packing {
    return {
      compression,
      maxMessageBytes: (topic) => this.#maxMessageBytes.get(topic) ?? DEFAULT_MAX_MESSAGE_BYTES,
    }
  }
}
