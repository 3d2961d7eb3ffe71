/** Properties of the service's topics: checked before each start and used for the outputs. */
import { DEFAULT_MAX_MESSAGE_BYTES } from '../adapters/kafka/sinks/batches.ts'
import type { KafkaClient } from '../adapters/kafka/client.ts'
import type { Packing } from '../adapters/kafka/sinks/produce.ts'
import { inspectTopics, withAdmin, type TopicNames } from '../adapters/kafka/admin/topics.ts'
import type { Codec } from '../core/compression.ts'
import type { Log } from '../ports.ts'

export class KnownTopics {
  readonly names: TopicNames
  readonly #log: Log
  readonly #partitions = new Map<string, number>()
  readonly #maxMessageBytes = new Map<string, number>()
  /** Messages that were logged already. The start is retried, and each message should appear once. */
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

  /** Topics can get more partitions while the service runs. Each claim reports the current number. */
  setPartitions(topic: string, partitions: number): void {
    this.#partitions.set(topic, partitions)
  }

  partitions(topic: string): number {
    return this.#partitions.get(topic) ?? 1
  }

  /** `max.message.bytes` is read at the start. The broker's default applies if the topic's settings cannot be read. */
  packing(compression: Codec): Packing {
    return {
      compression,
      maxMessageBytes: (topic) => this.#maxMessageBytes.get(topic) ?? DEFAULT_MAX_MESSAGE_BYTES,
    }
  }
}
