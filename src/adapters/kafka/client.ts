/** Sets up kafkajs: bridges its logger, registers the codecs, and applies our patches. */
import kafkajs, { type Kafka, type KafkaConfig, type LogEntry, type Logger } from 'kafkajs'
import type { SecureContext } from 'node:tls'
import type { LoginConfig } from '../../config/login.ts'
import type { Log } from '../../ports.ts'
import { registerCodecs } from './kafkajs/codecs.ts'
import { createCluster, PROTOCOL_MESSAGES, type Cluster } from './kafkajs/internals.ts'
import { createLogin } from './auth/login.ts'
import { applyPatches } from './kafkajs/patches.ts'
import { openSocket } from './kafkajs/sockets.ts'
import { createTlsContext, type TlsFiles } from './auth/tls.ts'

export interface KafkaSettings {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly tls: TlsFiles | null
  readonly sasl: LoginConfig | null
  /** A request without an answer within this time fails, and its connection is closed. */
  readonly requestTimeoutMs?: number
}

export interface KafkaClient {
  /** For administration. Retries for long, because brokers may be unavailable for a while. */
  readonly kafka: Kafka
  /** Creates a set of broker connections with their metadata. */
  readonly createCluster: () => Cluster
}

/** Timeout for connecting, including the first answer. */
const CONNECTION_TIMEOUT_MS = 3_000
const REQUEST_TIMEOUT_MS = 30_000

export function createKafkaClient(settings: KafkaSettings, log: Log): KafkaClient {
  registerCodecs()
  applyPatches()
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
        // The lane retries a claim, so the library should give up soon.
        retry: { initialRetryTime: 100, multiplier: 2, maxRetryTime: 1_000, retries: 3 },
      }),
  }
}

/** kafkajs passes this object through, so each new connection reads the current context. */
function renewedTls(files: TlsFiles, log: Log): { readonly secureContext: SecureContext } {
  const current = createTlsContext(files, log)
  return {
    get secureContext() {
      return current()
    },
  }
}

/**
 * Logs what kafkajs reports, as one warning with the cause. kafkajs logs ordinary rebalances as errors and may put records
 * into its messages, so nothing but the cause, the component and the address is passed on.
 */
function bridge(log: Log): (entry: LogEntry) => void {
  const loggedMs = new Map<string, number>()
  return ({ namespace, log: fields }) => {
    const { error, broker, groupId } = fields as { error?: unknown; broker?: unknown; groupId?: unknown }
    // The pool repeats what the connection has reported, without the address.
    if (namespace === 'BrokerPool') return
    const { message } = fields
    // Only the check at startup sends this request, and it works without an answer.
    if (message.startsWith('Response DescribeConfigs(')) return
    if (typeof error === 'string' && EXPECTED.test(error)) return
    const cause = causeOf(typeof error === 'string' ? error : namespace === 'Connection' ? message : '')
    const line = {
      reason: `${namespace}${typeof groupId === 'string' ? ` ${groupId}` : ''}`,
      ...cause,
      ...(typeof broker === 'string' ? { address: broker } : {}),
    }
    const key = JSON.stringify(line)
    const nowMs = performance.now()
    if (nowMs - (loggedMs.get(key) ?? -Infinity) < REPEAT_AFTER_MS) return
    if (loggedMs.size >= MAX_REMEMBERED) loggedMs.clear()
    loggedMs.set(key, nowMs)
    log.warn(messageOf(line), line)
  }
}

/** Many connections and retries report the same problem. */
const REPEAT_AFTER_MS = 60_000
const MAX_REMEMBERED = 100

/** Errors of normal operation: rebalances, a claim that waits for the previous transaction, a coordinator that is loading. */
const EXPECTED =
  /rebalancing|another concurrent operation|not aware of this member|member id|coordinator is loading/i

interface Cause {
  /** One of the protocol's fixed error messages. */
  readonly detail?: string
  /** A system error's code. */
  readonly code?: string
}

/** Any other text may contain more than should be logged. */
function causeOf(text: string): Cause {
  if (PROTOCOL_MESSAGES.has(text)) return { detail: text }
  const [code] = /\bE[A-Z]{4,20}\b/.exec(text) ?? []
  if (code !== undefined) return { code }
  return /^connection timeout/i.test(text) ? { code: 'timeout' } : {}
}

function messageOf({ detail, code, address }: Cause & { readonly address?: string }): string {
  const subject =
    address === undefined ? 'A request to Kafka' : `A request or connection to the Kafka broker ${address}`
  const cause = detail ?? code
  return `${subject} failed${cause === undefined ? '' : ` (${cause.replace(/\.$/, '')})`}. The service retries. Repetitions are not logged for a minute.`
}
