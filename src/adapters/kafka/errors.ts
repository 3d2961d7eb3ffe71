/**
 * What went wrong at the brokers, in a sentence that says what to do. kafkajs puts hosts, and in one case whole records,
 * into its messages: none of them is passed on.
 */

interface KafkaError {
  readonly name?: string
  /** The protocol error's name, e.g. `TOPIC_AUTHORIZATION_FAILED`. */
  readonly type?: string
  /** A system error's code, e.g. `ECONNREFUSED`. */
  readonly code?: string
  readonly cause?: unknown
  readonly originalError?: unknown
}

/** The protocol error's name, however deep kafkajs has wrapped it; else the class or system code; never a message. */
export function errorType(error: unknown): string {
  const found = unwrap(error)
    .map(({ type }) => type)
    .find((type) => typeof type === 'string')
  if (found !== undefined) return found
  const outer = asKafkaError(error)
  return outer.code ?? innermost(error).code ?? innermost(error).name ?? 'unknown'
}

const ADVICE: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [
    /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNRESET|EHOSTUNREACH|KafkaJSConnection.*|KafkaJSRequestTimeoutError|KafkaJSBrokerNotFound|KafkaJSNoBrokerAvailableError|KafkaJSNumberOfRetriesExceeded)$/,
    'No broker of KAFKA_BROKERS answers: check the addresses, the network, and that KAFKA_TLS says what the brokers expect.',
  ],
  [
    /^(SASL_AUTHENTICATION_FAILED|KafkaJSSASLAuthenticationError|ILLEGAL_SASL_STATE|UNSUPPORTED_SASL_MECHANISM)$/,
    'The brokers refuse the login: check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD.',
  ],
  [
    /CERT|SELF_SIGNED|LEAF_SIGNATURE|TLS|SSL|^EPROTO$/,
    'The TLS handshake with the brokers fails: check KAFKA_TLS and KAFKA_TLS_CA_FILE.',
  ],
  [
    /^GROUP_AUTHORIZATION_FAILED$/,
    'The Kafka user may not use the consumer group: grant READ on the group named in KAFKA_GROUP_ID.',
  ],
  [
    /^TRANSACTIONAL_ID_AUTHORIZATION_FAILED$/,
    'The Kafka user may not use transactions: grant WRITE and DESCRIBE on transactional ids that begin with KAFKA_GROUP_ID.',
  ],
  [
    /^TOPIC_AUTHORIZATION_FAILED$/,
    'The Kafka user lacks a right on a topic: grant READ on the input and retry topics, WRITE on the result, retry and dead-letter topics.',
  ],
  [
    /^CLUSTER_AUTHORIZATION_FAILED$/,
    'The Kafka user lacks a right on the cluster: ask the Kafka administrator.',
  ],
  [
    /^(UNKNOWN_TOPIC_OR_PARTITION|KafkaJSTopicMetadataNotLoaded)$/,
    'A topic does not exist: create the topics with `npm start -- topics create --partitions N --replication-factor N`.',
  ],
  [
    /^MESSAGE_TOO_LARGE$/,
    'A record is too large for its topic: raise max.message.bytes of the retry and dead-letter topics above that of the input topic.',
  ],
  [
    /^INVALID_REPLICATION_FACTOR$/,
    'The cluster has fewer brokers than the replication factor asks for: lower --replication-factor.',
  ],
]

/** One sentence that says what to do, with the error's type in brackets. */
export function explain(error: unknown): string {
  const type = errorType(error)
  const advice = ADVICE.find(([pattern]) => pattern.test(type))?.[1]
  return advice === undefined ? `Kafka refused a request (${type}).` : `${advice} (${type})`
}

function asKafkaError(error: unknown): KafkaError {
  return typeof error === 'object' && error !== null ? error : {}
}

/** The error and all it wraps, outermost first; bounded, for causes may form a ring. */
function unwrap(error: unknown): KafkaError[] {
  const chain: KafkaError[] = []
  let current: unknown = error
  while (typeof current === 'object' && current !== null && chain.length < 8) {
    const link: KafkaError = current
    chain.push(link)
    current = link.cause ?? link.originalError
  }
  return chain
}

function innermost(error: unknown): KafkaError {
  return unwrap(error).at(-1) ?? {}
}
