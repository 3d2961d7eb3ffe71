/** Tracks which broker leads each partition of our topics, and whether the topics are still the same ones. */
import { createErrorFromCode, type Cluster, type TopicMetadata } from '../kafkajs/internals.ts'
import { withPartialMetadata } from './topic-metadata.ts'

export interface TopologyOptions {
  readonly createCluster: () => Cluster
  readonly topics: readonly string[]
  /** Called when the metadata has changed or been confirmed. */
  readonly onRefreshed: () => void
  /** A topic was created again under the same name. */
  readonly onReplaced: (topic: string) => void
}

const TOPIC_ID_NONE = /^0*$/

export class Topology {
  readonly cluster: Cluster
  readonly #options: TopologyOptions
  readonly #ids = new Map<string, string>()

  constructor(options: TopologyOptions) {
    this.#options = options
    this.cluster = withPartialMetadata(options.createCluster())
  }

  /** Rejects if no broker answers, or one of the topics cannot be described. */
  async connect(): Promise<void> {
    await this.cluster.connect()
    await this.cluster.addMultipleTargetTopics(this.#options.topics)
    const failed = this.#topics().find(({ topicErrorCode }) => topicErrorCode !== 0)
    if (failed !== undefined) throw createErrorFromCode(failed.topicErrorCode)
    this.#refreshed()
  }

  async refresh(): Promise<void> {
    await this.cluster.refreshMetadata()
    this.#refreshed()
  }

  /** Number of partitions of each existing topic. */
  widths(): Map<string, number> {
    const existing = this.#topics().filter(({ partitionMetadata }) => partitionMetadata.length > 0)
    return new Map(existing.map(({ topic, partitionMetadata }) => [topic, partitionMetadata.length]))
  }

  /** -1 if there is none. */
  leaderOf(topic: string, partition: number): number {
    const of = this.#topics().find((one) => one.topic === topic)
    return of?.partitionMetadata.find(({ partitionId }) => partitionId === partition)?.leader ?? -1
  }

  addressOf(nodeId: number): string {
    const brokers = this.cluster.brokerPool.metadata?.brokers ?? []
    const found = brokers.find((broker) => broker.nodeId === nodeId)
    return found === undefined ? 'unknown' : `${found.host}:${found.port}`
  }

  hasId(topic: string): boolean {
    return this.#ids.has(topic)
  }

  #topics(): readonly TopicMetadata[] {
    return this.cluster.brokerPool.metadata?.topicMetadata ?? []
  }

  #refreshed(): void {
    for (const { topic, topicId = null } of this.#topics()) {
      if (topicId === null || TOPIC_ID_NONE.test(topicId)) continue
      const before = this.#ids.get(topic) ?? topicId
      this.#ids.set(topic, topicId)
      if (before !== topicId) this.#options.onReplaced(topic)
    }
    this.#options.onRefreshed()
  }
}
