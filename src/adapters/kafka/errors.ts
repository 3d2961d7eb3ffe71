/**
 * Turns Kafka errors into messages that say what to do. kafkajs's own messages are never passed on, because they
 * contain hosts and in one case whole records.
 */
import { OperatorError } from '../../core/safe-error.ts'
import type { Failure } from '../../ports.ts'
import { connectionFailures } from './connection-failures.ts'

interface KafkaError {
  readonly name?: string
  /** The protocol error's name, e.g. `TOPIC_AUTHORIZATION_FAILED`. */
  readonly type?: string
  /** A system error's code, e.g. `ECONNREFUSED`. */
  readonly code?: string
  readonly cause?: unknown
  readonly originalError?: unknown
  /** The errors of several topics that could not be created. */
  readonly errors?: readonly unknown[]
}

/**
 * The protocol error's name, however deeply kafkajs has wrapped it. Otherwise the system error's code or the error
 * class. Never a message.
 */
export function errorType(error: unknown): string {
  const found = unwrap(error)
    .map(({ type }) => type)
    .find((type) => typeof type === 'string')
  if (found !== undefined) return found
  const outer = asKafkaError(error)
  return outer.code ?? innermost(error).code ?? innermost(error).name ?? 'unknown'
}

const UNREACHABLE =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNRESET|EHOSTUNREACH|KafkaJSConnection.*|KafkaJSRequestTimeoutError|KafkaJSBrokerNotFound|KafkaJSNoBrokerAvailableError|KafkaJSNumberOfRetriesExceeded)$/

/** Errors while brokers start, or while a leader or coordinator changes. */
const CHANGING =
  /^(GROUP_COORDINATOR_NOT_AVAILABLE|NOT_COORDINATOR_FOR_GROUP|GROUP_LOAD_IN_PROGRESS|LEADER_NOT_AVAILABLE|NOT_LEADER_FOR_PARTITION|UNKNOWN_MEMBER_ID|ILLEGAL_GENERATION|REBALANCE_IN_PROGRESS|REQUEST_TIMED_OUT|KafkaJSLockTimeout)$/

/** Whether the problem is temporary and no one has rejected anything. */
export function isPassing(error: unknown): boolean {
  const type = errorType(error)
  return UNREACHABLE.test(type) || CHANGING.test(type)
}

/** Someone must grant or renew something first. */
const REFUSAL = /AUTHORIZATION_FAILED|SASL|_ALERT_|CERT|SELF_SIGNED|LEAF_SIGNATURE|TLS|SSL|^EPROTO$/

/**
 * Whether the brokers reject this client. Errors that are neither a rejection nor temporary may still succeed at
 * the next attempt.
 */
export function isRefusal(error: unknown): boolean {
  return REFUSAL.test(errorType(error))
}

const MISSING_TOPIC = /^(UNKNOWN_TOPIC_OR_PARTITION|KafkaJSTopicMetadataNotLoaded)$/

export function isMissingTopic(error: unknown): boolean {
  return MISSING_TOPIC.test(errorType(error))
}

export const CREATE_TOPICS = '`npm start -- topics create --partitions 8 --replication-factor 3`'

const ADVICE: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [
    /^(SASL_AUTHENTICATION_FAILED|KafkaJSSASLAuthenticationError|ILLEGAL_SASL_STATE|UNSUPPORTED_SASL_MECHANISM)$/,
    'The brokers reject the login: check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD, or for oauthbearer the token from KAFKA_SASL_OAUTH_TOKEN_FILE or KAFKA_SASL_OAUTH_TOKEN_URL.',
  ],
  [
    /_ALERT_/,
    'The brokers reject the client side of the TLS handshake: check that the certificate in KAFKA_TLS_CERT_FILE has not expired and is signed by an authority that the brokers trust.',
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'The certificate of a broker does not match its host name: check the names in KAFKA_BROKERS and the advertised listeners of the brokers.',
  ],
  [
    /CERT|SELF_SIGNED|LEAF_SIGNATURE|TLS|SSL|^EPROTO$/,
    'The TLS handshake with the brokers fails: check KAFKA_TLS and KAFKA_TLS_CA_FILE.',
  ],
  [
    /^GROUP_COORDINATOR_NOT_AVAILABLE$/,
    'The brokers report no coordinator. If this lasts, check that the topics __consumer_offsets and __transaction_state have a leader.',
  ],
  [
    /^GROUP_AUTHORIZATION_FAILED$/,
    'The Kafka user may not use the consumer group: grant READ on the group named in KAFKA_GROUP_ID.',
  ],
  [
    /^TRANSACTIONAL_ID_AUTHORIZATION_FAILED$/,
    'The Kafka user may not use transactions: grant WRITE on transactional ids that begin with KAFKA_GROUP_ID and a dash.',
  ],
  [
    /^CLUSTER_AUTHORIZATION_FAILED$/,
    'The Kafka user lacks a permission on the cluster: ask the Kafka administrator to grant it.',
  ],
  [MISSING_TOPIC, `A topic of the settings does not exist. Create it with ${CREATE_TOPICS}.`],
  [
    /^(MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE)$/,
    'A record is too large for its topic. Raise max.message.bytes of the result, retry and dead-letter topics above that of the input topic.',
  ],
  [
    /^INVALID_RECORD$/,
    'The brokers reject a record. Check that no output topic is compacted (cleanup.policy) and that no schema validation is set on it.',
  ],
  [/^UNENCODABLE$/, 'The service cannot encode a record.'],
  [
    /^INVALID_TIMESTAMP$/,
    'The brokers reject the timestamps of the records. Check the clock of this machine and of the brokers, and message.timestamp.before.max.ms and message.timestamp.after.max.ms of the topics.',
  ],
  [
    /^INVALID_REPLICATION_FACTOR$/,
    'The cluster has fewer brokers than the requested replication factor: lower --replication-factor.',
  ],
]

/** Errors that a broker returns for the same record every time. */
const REFUSED =
  /^(MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE|INVALID_RECORD|UNSUPPORTED_FOR_MESSAGE_FORMAT|CORRUPT_MESSAGE|UNENCODABLE)$/

/**
 * An output cannot be encoded. This has its own type, because a TypeError from elsewhere must not mark good outputs
 * as rejected.
 */
export class UnencodableError extends Error {
  readonly type = 'UNENCODABLE'
}

/**
 * Whether the brokers reject an output permanently, or the client cannot encode it. Says nothing about the other
 * outputs.
 */
export function isRefused(error: unknown): boolean {
  return REFUSED.test(errorType(error))
}

/** Waits for all requests that write outputs, also after one has failed, and then throws the deciding error. */
export async function allWritten(requests: readonly Promise<unknown>[]): Promise<void> {
  const ended = await Promise.allSettled(requests)
  throwDeciding(ended.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : [])))
}

/**
 * Throws an error that is not a rejection if there is one, because it leaves the outcome unknown, and otherwise the first
 * rejection. Does nothing without errors.
 */
export function throwDeciding(errors: readonly unknown[]): void {
  if (errors.length > 0) throw errors.find((error) => !isRefused(error)) ?? errors[0]
}

export function toFailure(error: unknown, doing: Doing): Failure {
  return { code: errorType(error), message: explain(error, doing), temporary: isPassing(error) }
}

/**
 * The intended action. It selects the advice, because neither the broker nor kafkajs names the missing permission.
 */
export type Doing = 'reading' | 'writing' | 'creating topics' | 'reading dead letters' | 'redriving'

const REDRIVE_ID =
  'grant WRITE on the transactional id that is KAFKA_DEAD_LETTER_TOPIC followed by "-redrive"'

const ADVICE_BY_DOING: readonly (readonly [pattern: RegExp, advice: Partial<Record<Doing, string>>])[] = [
  [
    /^TRANSACTIONAL_ID_AUTHORIZATION_FAILED$/,
    { redriving: `The Kafka user may not use the transaction of a redrive: ${REDRIVE_ID}.` },
  ],
  [
    // OPERATION_NOT_ATTEMPTED is the error of the other topics in the same request.
    /^(TOPIC_AUTHORIZATION_FAILED|OPERATION_NOT_ATTEMPTED)$/,
    {
      reading: 'The Kafka user may not read a topic: grant READ on the input and retry topics.',
      writing:
        'The Kafka user may not write to a topic: grant WRITE on the result, retry and dead-letter topics.',
      'creating topics':
        'The Kafka user may not create or widen a topic: grant CREATE, ALTER and DESCRIBE_CONFIGS on all topics of the settings.',
      'reading dead letters':
        'The Kafka user may not read the dead-letter topic: grant READ on it, and DESCRIBE on the input topic.',
      redriving:
        'The Kafka user may not put dead letters back: grant WRITE on the input topic and on the dead-letter topic.',
    },
  ],
]

/** One message that says what to do, with the error's type in brackets. */
export function explain(error: unknown, doing: Doing = 'reading'): string {
  const own = unwrap(error).find((link) => link instanceof OperatorError)
  if (own instanceof OperatorError) return own.message
  const type = errorType(error)
  if (UNREACHABLE.test(type)) return unreachable(type)
  const matches = ([pattern]: readonly [RegExp, unknown]): boolean => pattern.test(type)
  const advice = ADVICE_BY_DOING.find(matches)?.[1][doing] ?? ADVICE.find(matches)?.[1]
  return advice === undefined ? `A Kafka broker rejected a request (${type}).` : `${advice} (${type})`
}

function unreachable(type: string): string {
  const addresses = connectionFailures.recent()
  const causes = addresses === '' ? type : addresses
  return `No broker in KAFKA_BROKERS answers, or the broker that leads a needed partition does not (${causes}). Check the addresses, the network, and whether KAFKA_TLS matches the brokers' listener.`
}

function asKafkaError(error: unknown): KafkaError {
  return typeof error === 'object' && error !== null ? error : {}
}

/** The error and all its causes, outermost first. Limited, because causes may form a cycle. */
function unwrap(error: unknown): KafkaError[] {
  const chain: KafkaError[] = []
  let current: unknown = error
  while (typeof current === 'object' && current !== null && chain.length < 8) {
    const link: KafkaError = current
    chain.push(link)
    current = link.cause ?? link.originalError ?? link.errors?.[0]
  }
  return chain
}

function innermost(error: unknown): KafkaError {
  return unwrap(error).at(-1) ?? {}
}
