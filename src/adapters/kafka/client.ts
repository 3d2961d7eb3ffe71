/** kafkajs, set up once: its logger bridged, its codecs registered, its timers and its filter of aborted records mended. */
import kafkajs, { type Kafka, type KafkaConfig, type LogEntry, type Logger } from 'kafkajs'
import type { SecureContext } from 'node:tls'
import type { LoginConfig } from '../../config/login.ts'
import type { Log } from '../../ports.ts'
import { registerCodecs } from './codecs.ts'
import { createCluster, PROTOCOL_MESSAGES, type Cluster } from './internals.ts'
import { createLogin } from './login.ts'
import { patchReconnect } from './patch-reconnect.ts'
import { patchRequestQueue } from './patch-request-queue.ts'
import { patchSilence } from './patch-silence.ts'
import { openSocket } from './sockets.ts'
import { createTlsContext, type TlsFiles } from './tls.ts'

export interface KafkaSettings {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly tls: TlsFiles | null
  readonly sasl: LoginConfig | null
  /** What a broker does not answer within this counts as failed, and the connection as gone. */
  readonly requestTimeoutMs?: number
}

export interface KafkaClient {
  /** For the consumer and for administration: patient, the brokers may be away for long. */
  readonly kafka: Kafka
  /** One cluster per claimed partition. */
  readonly createCluster: () => Cluster
}

/** Of a connection's making, and of the first answer on it. */
const CONNECTION_TIMEOUT_MS = 3_000
const REQUEST_TIMEOUT_MS = 30_000

export function createKafkaClient(settings: KafkaSettings, log: Log): KafkaClient {
  registerCodecs()
  patchRequestQueue()
  patchSilence()
  patchReconnect()
  const connection = {
    brokers: [...settings.brokers],
    clientId: settings.clientId,
    ssl: settings.tls === null ? false : renewedTls(settings.tls, log),
    ...(settings.sasl === null ? {} : { sasl: createLogin(settings.sasl, log) }),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: settings.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
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
        logger,
        // A claim is tried again by its lane: the library gives up soon.
        retry: { initialRetryTime: 100, multiplier: 2, maxRetryTime: 1_000, retries: 3 },
      }),
  }
}

/** kafkajs hands the object on as it is, and each connection takes what is there at that moment. */
function renewedTls(files: TlsFiles, log: Log): { readonly secureContext: SecureContext } {
  const current = createTlsContext(files, log)
  return {
    get secureContext() {
      return current()
    },
  }
}

/**
 * kafkajs logs each ordinary rebalance as an error, and may put a record into a message: what it says goes to the log
 * as a warning, and only its namespace, error type and place.
 */
function bridge(log: Log): (entry: LogEntry) => void {
  const said = new Map<string, number>()
  return ({ namespace, log: fields }) => {
    const { error, broker, groupId } = fields as { error?: unknown; broker?: unknown; groupId?: unknown }
    // Only the check at the start asks for it, and does without where it may not.
    if (fields.message.startsWith('Response DescribeConfigs(')) return
    if (typeof error === 'string' && EXPECTED.test(error)) return
    const line = {
      reason: `${namespace}${typeof groupId === 'string' ? ` ${groupId}` : ''}`,
      ...(typeof error === 'string' ? safeText(error) : {}),
      ...(typeof broker === 'string' ? { address: broker } : {}),
    }
    const key = JSON.stringify(line)
    const nowMs = performance.now()
    if (nowMs - (said.get(key) ?? -Infinity) < REPEAT_AFTER_MS) return
    if (said.size >= MAX_REMEMBERED) said.clear()
    said.set(key, nowMs)
    log.warn('The Kafka client reports an error. It is not logged again for a minute.', line)
  }
}

/** Each of many connections, and each retry, says the same. */
const REPEAT_AFTER_MS = 60_000
const MAX_REMEMBERED = 100

/** What a working group, a cautious claim and a busy coordinator say every day. */
const EXPECTED =
  /rebalancing|another concurrent operation|not aware of this member|member id|coordinator is loading/i

/** A broker's fixed message or a system error's code; anything else may hold more than should be logged. */
function safeText(text: string): { detail?: string; code?: string } {
  if (PROTOCOL_MESSAGES.has(text)) return { detail: text }
  const [code] = /\bE[A-Z]{4,20}\b/.exec(text) ?? []
  return code === undefined ? {} : { code }
}
