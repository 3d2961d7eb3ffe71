/**
 * The private parts of kafkajs 2.2.4 that we use, in one place and behind a version check. The library is no longer
 * maintained, so these parts should not change. If they do, the process reports it at startup instead of
 * misbehaving later. Only this folder may load them; `patches.ts` lists what it changes. docs/kafkajs.md explains why
 * each is needed.
 */
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import type { AuthenticationProviderArgs, Authenticator, ISocketFactory, Logger } from 'kafkajs'

const require = createRequire(import.meta.url)

export const SUPPORTED_VERSION = '2.2.4'

const { version } = require('kafkajs/package.json') as { version: string }
if (version !== SUPPORTED_VERSION) {
  throw new Error(
    `kafkajs ${version} is installed, but the Kafka adapter requires ${SUPPORTED_VERSION}. Run npm ci.`,
  )
}

/** Sends requests to one broker. Methods reject with a KafkaJSProtocolError whose `type` is the error's name. */
export interface Broker {
  readonly nodeId: number
  /** The highest version of each request that the broker supports, by API key. Null before the first connection. */
  readonly versions: Readonly<Record<number, { readonly maxVersion: number } | undefined>> | null
  readonly connectionPool: { send(exchange: Exchange): Promise<unknown> }
  metadata: (topics: readonly string[]) => Promise<ClusterMetadata>
  disconnect(): Promise<unknown>
  findGroupCoordinator(of: {
    groupId: string
    coordinatorType: number
  }): Promise<{ readonly coordinator: { readonly nodeId: number } }>
  offsetCommit(request: {
    groupId: string
    memberId: string
    groupGenerationId: number
    topics: readonly {
      readonly topic: string
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[]
    }[]
  }): Promise<unknown>
  initProducerId(request: {
    transactionalId: string
    transactionTimeout: number
  }): Promise<{ producerId: string; producerEpoch: number }>
  addPartitionsToTxn(
    request: Transaction & { topics: { topic: string; partitions: number[] }[] },
  ): Promise<unknown>
  addOffsetsToTxn(request: Transaction & { groupId: string }): Promise<unknown>
  txnOffsetCommit(
    request: Transaction & {
      groupId: string
      topics: { topic: string; partitions: { partition: number; offset: string }[] }[]
    },
  ): Promise<unknown>
  endTxn(request: Transaction & { transactionResult: boolean }): Promise<unknown>
  offsetFetch(request: {
    groupId: string
    topics: { topic: string; partitions: { partition: number }[] }[]
  }): Promise<{ responses: { topic: string; partitions: { partition: number; offset: string }[] }[] }>
}

export interface ClusterMetadata {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[]
  readonly topicMetadata: readonly TopicMetadata[]
}

export interface TopicMetadata {
  readonly topic: string
  /** 0 means no error. */
  readonly topicErrorCode: number
  /** Changes if a topic is deleted and created again under the same name. Null if the broker does not report it. */
  readonly topicId?: string | null
  readonly partitionMetadata: readonly PartitionMetadata[]
}

export interface PartitionMetadata {
  readonly partitionId: number
  /** -1 if there is none. */
  readonly leader: number
  readonly partitionErrorCode: number
}

export const READ_COMMITTED = 1

/** Decodes messages in formats before Kafka 0.11, and decompresses them with the registered codecs. */
export const decodeMessages = require('kafkajs/src/protocol/messageSet/decoder') as (
  decoder: object,
  bytes: number,
) => Promise<readonly OldMessage[]>

interface OldMessage {
  readonly offset: string
  /** Absent before Kafka 0.10. */
  readonly timestamp?: string
  readonly key: Buffer | null
  readonly value: Buffer | null
}

export const DecoderClass = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object

export interface Transaction {
  readonly transactionalId: string
  readonly producerId: string
  readonly producerEpoch: number
}

export const COORDINATOR = { group: 0, transaction: 1 } as const

export interface Cluster {
  readonly brokerPool: {
    createBroker: (options: object) => Broker
    findConnectedBroker(): Promise<Broker>
    readonly metadata: ClusterMetadata | null
  }
  connect(): Promise<void>
  disconnect(): Promise<void>
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>
  refreshMetadata(): Promise<void>
  findTopicPartitionMetadata(topic: string): readonly { partitionId: number; leader: number }[]
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Record<string, number[]>
  /** Start or end for read-committed readers. */
  fetchTopicsOffset(
    of: readonly { topic: string; partitions: { partition: number }[]; fromBeginning: boolean }[],
  ): Promise<{ topic: string; partitions: { partition: number; offset: string }[] }[]>
  findBroker(node: { nodeId: number }): Promise<Broker>
}

export interface ClusterOptions {
  readonly logger: Logger
  readonly brokers: string[]
  readonly ssl: unknown
  readonly sasl?: unknown
  readonly clientId: string
  readonly connectionTimeout: number
  readonly requestTimeout: number
  readonly socketFactory: ISocketFactory
  readonly retry: Readonly<Record<string, number>>
}

const ClusterClass = require('kafkajs/src/cluster') as new (options: Record<string, unknown>) => Cluster

export function createCluster(options: ClusterOptions): Cluster {
  return new ClusterClass({
    ...options,
    enforceRequestTimeout: true,
    metadataMaxAge: 300_000,
    allowAutoTopicCreation: false,
    maxInFlightRequests: null,
    isolationLevel: READ_COMMITTED,
    reauthenticationThreshold: 10_000,
    authenticationTimeout: 10_000,
  })
}

/** The members that {@link patchRequestQueue} uses. */
export interface RequestQueue {
  readonly pending: readonly unknown[]
  readonly throttledUntil: number
  throttleCheckTimeoutId: NodeJS.Timeout | null
  requestTimeoutIntervalId: NodeJS.Timeout | undefined
  readonly inflight: ReadonlyMap<
    number,
    { readonly sentAt: number; readonly requestTimeout: number; timeoutRequest(): void }
  >
  isConnected(): boolean
  checkPendingRequests(): void
  scheduleCheckPendingRequests(): void
  scheduleRequestTimeoutCheck(): void
  destroy(): void
  /**
   * Added by us: closes the connection, which has been silent since this monotonic time. See {@link patchSilence}.
   */
  giveUp?: (sinceMs: number) => void
}

export const RequestQueueClass = require('kafkajs/src/network/requestQueue') as {
  prototype: RequestQueue
  new (options: Record<string, unknown>): RequestQueue
}

type PasswordLogin = (login: {
  readonly username: string
  readonly password: string
}) => (args: AuthenticationProviderArgs) => Authenticator

const loginFrom = (file: string) => require(`kafkajs/src/broker/saslAuthenticator/${file}`) as PasswordLogin

export const PASSWORD_LOGINS = {
  plain: loginFrom('plain'),
  'scram-sha-256': loginFrom('scram256'),
  'scram-sha-512': loginFrom('scram512'),
} as const

/** The members that {@link patchReconnect} and {@link patchSilence} use. */
export interface Connection {
  readonly requestQueue: RequestQueue
  /** Host and port. */
  readonly broker: string
  /** Milliseconds. */
  readonly connectionTimeout: number
  /** Absent without a login. */
  readonly sasl?: unknown
  /** The latest socket. Absent before the first connection. */
  readonly socket?: Socket
  /** Parts of an incomplete response. */
  chunks: readonly Buffer[]
  bytesBuffered: number
  bytesNeeded: number
  /** Set during a login. */
  readonly authHandlers: { onError(): void } | null
  isConnected(): boolean
  connect: (this: Connection) => Promise<unknown>
  disconnect(): Promise<unknown>
  rejectRequests(error: Error): void
  send(exchange: Exchange): Promise<unknown>
  /** Sends one step of a login. */
  sendAuthRequest(exchange: Exchange): Promise<unknown>
}

/** The members of a broker that {@link patchBrokerReady} uses. */
export interface KafkajsBroker {
  readonly lookupRequest: (...args: never[]) => unknown
  isConnected: (this: KafkajsBroker) => boolean
  connect(): Promise<void>
}

export const BrokerClass = require('kafkajs/src/broker') as {
  prototype: KafkajsBroker
  new (options: Record<string, unknown>): KafkajsBroker
}

/** A request's encoder and the decoder of its response. */
export interface Exchange {
  readonly request: Readonly<Record<string, unknown>>
  readonly response: { decode(payload: Buffer): object; parse(decoded: object): unknown }
  /** Milliseconds. */
  readonly requestTimeout?: number
}

export const ConnectionClass = require('kafkajs/src/network/connection') as {
  prototype: Connection
  new (options: Record<string, unknown>): Connection
}

export const apiVersionsRequest =
  require('kafkajs/src/protocol/requests/apiVersions/v0/request') as () => Readonly<Record<string, unknown>>

/** The encoders of one request type, by version. */
export interface RequestDefinition {
  readonly versions: readonly string[]
  readonly protocol: (of: { readonly version: number }) => (fields: object) => Exchange
}

/** Requests that are encoded without kafkajs's Broker class. */
export type OwnRequest =
  'DescribeGroups' | 'Fetch' | 'Heartbeat' | 'JoinGroup' | 'LeaveGroup' | 'ListOffsets' | 'SyncGroup'

export const { requests: REQUESTS } = require('kafkajs/src/protocol/requests') as {
  requests: Readonly<Record<OwnRequest | 'Metadata' | 'Produce', RequestDefinition>>
}

/** The library's own object, which decodes all responses of this type and version. */
export function responseOf(type: 'Produce' | 'Fetch', apiVersion: number): Exchange['response'] {
  return REQUESTS[type].protocol({ version: apiVersion })({}).response
}

/** By version, for those with record batches (magic 2). */
export const PRODUCE_RESPONSES: ReadonlyMap<number, Exchange['response']> = new Map(
  [3, 4, 5, 6, 7].map((apiVersion) => [apiVersion, responseOf('Produce', apiVersion)]),
)

export const API_KEYS = require('kafkajs/src/protocol/requests/apiKeys') as Readonly<
  Record<OwnRequest | 'Metadata' | 'Produce', number>
>

/** Creates the library's error for a protocol error code. Its `type` is the error's name. */
export const { createErrorFromCode } = require('kafkajs/src/protocol/error') as {
  createErrorFromCode: (code: number) => Error & { readonly type?: string }
}

/** Encodes requests. */
interface Encoder {
  writeBuffer(bytes: Buffer): Encoder
}

export const EncoderClass = require('kafkajs/src/protocol/encoder') as new () => Encoder

const { errorCodes } = require('kafkajs/src/protocol/error') as {
  errorCodes: readonly { readonly type: string; readonly message: string }[]
}

/** The fixed error messages of the protocol, which are safe to log. */
export const PROTOCOL_MESSAGES: ReadonlySet<string> = new Set(errorCodes.map(({ message }) => message))

/** The names of the protocol's error codes, such as `KAFKA_STORAGE_ERROR`. */
export const PROTOCOL_ERRORS: ReadonlySet<string> = new Set(errorCodes.map(({ type }) => type))
