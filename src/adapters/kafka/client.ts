/** kafkajs, set up once: its logger bridged, its codecs registered, its timers and its filter of aborted records mended. */
import kafkajs, { type Kafka, type KafkaConfig, type LogEntry, type Logger, type SASLOptions } from 'kafkajs'
import type { Log } from '../../ports.ts'
import { registerCodecs } from './codecs.ts'
import { patchFetch } from './committed-records.ts'
import { createCluster, PROTOCOL_MESSAGES, type Cluster } from './internals.ts'
import { patchRequestQueue } from './patch-request-queue.ts'
import { openSocket } from './sockets.ts'

export interface KafkaSettings {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | null
  readonly sasl: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
    readonly username: string
    readonly password: string
  } | null
}

export interface KafkaClient {
  /** For the consumer and for administration: patient, the brokers may be away for long. */
  readonly kafka: Kafka
  /** One cluster per claimed partition. */
  readonly createCluster: () => Cluster
}

const CONNECTION_TIMEOUT_MS = 5_000
const REQUEST_TIMEOUT_MS = 30_000

export function createKafkaClient(settings: KafkaSettings, log: Log): KafkaClient {
  registerCodecs()
  patchRequestQueue()
  patchFetch()
  const connection = {
    brokers: [...settings.brokers],
    clientId: settings.clientId,
    ssl: settings.tls ?? false,
    ...(settings.sasl === null ? {} : { sasl: settings.sasl as SASLOptions }),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    socketFactory: openSocket,
  } satisfies KafkaConfig
  const kafka = new kafkajs.Kafka({
    ...connection,
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => bridge(log),
  })
  const logger: Logger = kafka.logger()
  return {
    kafka,
    createCluster: () =>
      createCluster({
        ...connection,
        sasl: settings.sasl,
        logger,
        // A claim is tried again by its lane: the library gives up soon.
        retry: { initialRetryTime: 100, multiplier: 2, maxRetryTime: 1_000, retries: 3 },
      }),
  }
}

/**
 * kafkajs logs each ordinary rebalance as an error, and may put a record into a message: what it says goes to the log
 * as a warning, and only its namespace, error type and place.
 */
function bridge(log: Log): (entry: LogEntry) => void {
  return ({ namespace, log: fields }) => {
    const { error, broker, groupId } = fields as { error?: unknown; broker?: unknown; groupId?: unknown }
    if (typeof error === 'string' && EXPECTED.test(error)) return
    log.warn('kafkajs reports trouble.', {
      reason: `${namespace}${typeof groupId === 'string' ? ` ${groupId}` : ''}`,
      ...(typeof error === 'string' ? safeText(error) : {}),
      ...(typeof broker === 'string' ? { address: broker } : {}),
    })
  }
}

/** What a working group, a cautious claim and a busy coordinator say every day. */
const EXPECTED =
  /rebalancing|another concurrent operation|not aware of this member|member id|coordinator is loading/i

/** A broker's fixed sentence or a system error's code; anything else may hold more than should be logged. */
function safeText(text: string): { detail?: string; code?: string } {
  if (PROTOCOL_MESSAGES.has(text)) return { detail: text }
  const [code] = /\bE[A-Z]{4,20}\b/.exec(text) ?? []
  return code === undefined ? {} : { code }
}
