/**
 * Requests topic metadata with an error per topic and partition. kafkajs's own request fails as a whole if one
 * topic is missing or one partition has no leader, so other leader changes go unnoticed. From version 10 on (Kafka
 * 2.8) a broker also reports topic ids, which distinguish a topic that was created again.
 */
import { send } from '../broker-requests.ts'
import {
  API_KEYS,
  EncoderClass,
  REQUESTS,
  type Broker,
  type Cluster,
  type ClusterMetadata,
  type PartitionMetadata,
  type TopicMetadata,
} from '../kafkajs/internals.ts'
import { WireReader } from '../fetch/wire-reader.ts'

const VERSION_WITH_IDS = 10

/** Makes this cluster's metadata contain errors instead of failing. Must be called before it connects. */
export function withPartialMetadata(cluster: Cluster): Cluster {
  return withMetadata(cluster, (broker) => (topics) => readMetadata(broker, topics))
}

/**
 * Makes this cluster's metadata contain only what we use, because each shard has its own and the lists of replicas take
 * most of the memory. Must be called before it connects.
 */
export function withLeanMetadata(cluster: Cluster): Cluster {
  return withMetadata(cluster, (broker) => {
    const read = broker.metadata.bind(broker)
    return async (topics) => lean(await read(topics))
  })
}

function withMetadata(cluster: Cluster, reader: (broker: Broker) => Broker['metadata']): Cluster {
  const { brokerPool } = cluster
  const create = brokerPool.createBroker
  brokerPool.createBroker = (options) => {
    const broker = create(options)
    broker.metadata = reader(broker)
    return broker
  }
  return cluster
}

function lean(metadata: ClusterMetadata): ClusterMetadata {
  const topicMetadata = metadata.topicMetadata.map((topic) => ({
    ...topic,
    partitionMetadata: topic.partitionMetadata.map(({ partitionId, leader, partitionErrorCode }) => ({
      partitionId,
      leader,
      partitionErrorCode,
    })),
  }))
  return { ...metadata, topicMetadata }
}

async function readMetadata(broker: Broker, topics: readonly string[]): Promise<ClusterMetadata> {
  const maxVersion = broker.versions?.[API_KEYS.Metadata]?.maxVersion ?? 0
  if (maxVersion >= VERSION_WITH_IDS) return readWithIds(broker, topics)
  const { versions, protocol } = REQUESTS.Metadata
  const version = Math.min(maxVersion, Math.max(...versions.map(Number)))
  const exchange = protocol({ version })({ topics, allowAutoTopicCreation: false })
  const answer = await send(broker, {
    ...exchange,
    response: { decode: (payload) => exchange.response.decode(payload), parse: (decoded) => decoded },
  })
  return lean(answer as ClusterMetadata)
}

async function readWithIds(broker: Broker, topics: readonly string[]): Promise<ClusterMetadata> {
  const answer = await send(broker, {
    request: {
      apiKey: API_KEYS.Metadata,
      apiVersion: VERSION_WITH_IDS,
      apiName: 'Metadata',
      encode: () => Promise.resolve(new EncoderClass().writeBuffer(encodeRequest(topics))),
    },
    response: { decode: decodeAnswer, parse: (decoded) => decoded },
  })
  return answer as ClusterMetadata
}

/** Begins with the tagged fields of the request header, which kafkajs does not write. */
export function encodeRequest(topics: readonly string[]): Buffer {
  const parts = [Buffer.from([0]), uvarint(topics.length + 1)]
  for (const topic of topics) {
    const name = Buffer.from(topic)
    parts.push(Buffer.alloc(16), uvarint(name.length + 1), name, Buffer.from([0]))
  }
  // Creates no topics, requests no permissions, no tagged fields.
  parts.push(Buffer.from([0, 0, 0, 0]))
  return Buffer.concat(parts)
}

function uvarint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Buffer.from([...bytes, rest])
}

/** Begins with the tagged fields of the response header, which kafkajs does not read. */
export function decodeAnswer(payload: Buffer): ClusterMetadata {
  const reader = new FlexibleReader(payload)
  reader.tags()
  const clientSideThrottleTime = reader.int32()
  const brokers = reader.array(() => {
    const broker = {
      nodeId: reader.int32(),
      host: reader.compactString() ?? '',
      port: reader.int32(),
      rack: reader.compactString(),
    }
    reader.tags()
    return broker
  })
  const clusterId = reader.compactString()
  const controllerId = reader.int32()
  const topicMetadata = reader.array(() => readTopic(reader))
  return Object.assign({ brokers, topicMetadata }, { clientSideThrottleTime, clusterId, controllerId })
}

function readTopic(reader: FlexibleReader): TopicMetadata {
  const topicErrorCode = reader.int16()
  const topic = reader.compactString() ?? ''
  const topicId = reader.uuid()
  const isInternal = reader.int8() !== 0
  const partitionMetadata = reader.array(() => readPartition(reader))
  reader.int32()
  reader.tags()
  return Object.assign({ topic, topicErrorCode, topicId, partitionMetadata }, { isInternal })
}

function readPartition(reader: FlexibleReader): PartitionMetadata {
  const partitionErrorCode = reader.int16()
  const partitionId = reader.int32()
  const leader = reader.int32()
  // The epoch of the leader, the replicas, those in sync and those offline.
  reader.int32()
  for (let lists = 0; lists < 3; lists += 1) reader.array(() => reader.int32())
  reader.tags()
  return { partitionId, leader, partitionErrorCode }
}

/** Reads flexible versions, in which lengths have a variable size and are stored plus one. */
class FlexibleReader extends WireReader {
  uuid(): string {
    this.at += 16
    return this.payload.toString('hex', this.at - 16, this.at)
  }

  uvarint(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.int8()
      value |= (byte & 0x7f) << shift
      if ((byte & 0x80) === 0) return value
    }
  }

  compactString(): string | null {
    const length = this.uvarint() - 1
    return length < 0 ? null : this.text(length)
  }

  array<T>(read: () => T): T[] {
    const length = this.uvarint() - 1
    return Array.from({ length: Math.max(0, length) }, read)
  }

  tags(): void {
    for (let left = this.uvarint(); left > 0; left -= 1) {
      this.uvarint()
      const size = this.uvarint()
      this.at += size
    }
  }
}
