/**
 * Rules across settings. Each rule names the settings it looks at, and is skipped if one of them is invalid by
 * itself or not in scope, so that one mistake gives one message.
 */
import { formatDuration } from './duration.ts'
import { onlySomeSet, shown } from './errors.ts'
import { loginErrors } from './login.ts'
import { belongTogether } from './pem.ts'
import type { SettingName, Values } from './settings.ts'
import { MAX_TOPIC_LENGTH, isLoopback } from './values.ts'

/** The value of a setting as the user wrote it, or its default. */
type TextOf = (name: SettingName) => string
type Rule = (values: Partial<Values>, invalid: (name: SettingName) => boolean, textOf: TextOf) => string[]

const TOPICS = ['KAFKA_INPUT_TOPIC', 'KAFKA_RESULT_TOPIC', 'KAFKA_DEAD_LETTER_TOPIC'] as const
type TopicSetting = (typeof TOPICS)[number]
type RetrySetting = 'KAFKA_RETRY_TOPIC_PREFIX' | 'DEFER_DELAYS'

/** Time for the service's work after the last answer: write the result, commit the transaction, leave the group. */
export const AFTER_LAST_CALL_MS = 5_000

const RULES: readonly Rule[] = [
  rule(['CHECKRESULT_QPS', 'CHECKRESULT_ENDPOINT'], (values) =>
    values.CHECKRESULT_QPS === 'unlimited' && !isLoopback(values.CHECKRESULT_ENDPOINT)
      ? `CHECKRESULT_QPS is "unlimited", but CHECKRESULT_ENDPOINT is ${shown(values.CHECKRESULT_ENDPOINT)}. ` +
        'Expected a loopback endpoint if calls are not limited, for example CHECKRESULT_ENDPOINT=http://127.0.0.1:8080.'
      : null,
  ),
  rule(['CHECKRESULT_QPS', 'CHECKRESULT_BURST'], ({ CHECKRESULT_QPS: qps, CHECKRESULT_BURST: burst }) =>
    burst !== undefined && qps !== 'unlimited' && burst > qps
      ? `CHECKRESULT_BURST is ${burst}, but CHECKRESULT_QPS is ${qps}. Expected a burst that is not larger than the limit, ` +
        `for example CHECKRESULT_BURST=${defaultBurst(qps)}.`
      : null,
  ),
  rule(['CHECKRESULT_QUOTA', 'REDIS_URL'], ({ CHECKRESULT_QUOTA: mode, REDIS_URL: url }) =>
    mode === 'redis' && url === undefined
      ? 'CHECKRESULT_QUOTA is redis, but REDIS_URL is not set. Expected the URL of the Redis that counts the calls of all replicas, ' +
        'for example REDIS_URL=rediss://redis.example:6380/0.'
      : null,
  ),
  rule(['REDIS_URL', 'REDIS_TLS_CA_FILE'], ({ REDIS_URL: url, REDIS_TLS_CA_FILE: ca }) =>
    ca !== undefined && url?.reveal().startsWith('rediss:') !== true
      ? 'REDIS_TLS_CA_FILE is set, but REDIS_URL does not use TLS. Expected a rediss:// URL with a certificate authority, ' +
        'for example REDIS_URL=rediss://redis.example:6380/0.'
      : null,
  ),
  rule(['CHECKRESULT_TIMEOUT', 'SHUTDOWN_DEADLINE'], (values, textOf) => {
    const minMs = values.CHECKRESULT_TIMEOUT + AFTER_LAST_CALL_MS
    return values.SHUTDOWN_DEADLINE < minMs
      ? `SHUTDOWN_DEADLINE is ${textOf('SHUTDOWN_DEADLINE')}, but CHECKRESULT_TIMEOUT is ` +
          `${textOf('CHECKRESULT_TIMEOUT')}. Expected at least ${formatDuration(AFTER_LAST_CALL_MS)} more than ` +
          `one call may take, for example SHUTDOWN_DEADLINE=${formatDuration(minMs)}.`
      : null
  }),
  rule(['DEFER_DELAYS', 'DEFER_MAX_AGE'], ({ DEFER_DELAYS: delays, DEFER_MAX_AGE: maxAgeMs }, textOf) => {
    const longest = delays.at(-1)
    return longest !== undefined && maxAgeMs < longest.ms
      ? `DEFER_MAX_AGE is ${textOf('DEFER_MAX_AGE')}, but DEFER_DELAYS ends with ${longest.text}. ` +
          'Expected an age that is not shorter than the longest delay, for example DEFER_MAX_AGE=6h.'
      : null
  }),
  rule(['KAFKA_RETRY_TOPIC_PREFIX', 'DEFER_DELAYS'], (values) => {
    const tooLong = retryTopicNames(values).find((topic) => topic.length > MAX_TOPIC_LENGTH)
    return tooLong === undefined
      ? null
      : `KAFKA_RETRY_TOPIC_PREFIX and DEFER_DELAYS make topic names of ${tooLong.length} characters. Expected at most ` +
          `${MAX_TOPIC_LENGTH}, for example KAFKA_RETRY_TOPIC_PREFIX=verification.completed.retry.`
  }),
  rule([...TOPICS, 'KAFKA_RETRY_TOPIC_PREFIX', 'DEFER_DELAYS'], sameTopicTwice),
  loginErrors,
  togetherOrNone(['SCHEMA_REGISTRY_USERNAME', 'SCHEMA_REGISTRY_PASSWORD']),
  togetherOrNone(['KAFKA_TLS_CERT_FILE', 'KAFKA_TLS_KEY_FILE']),
  rule(
    ['KAFKA_TLS_CERT_FILE', 'KAFKA_TLS_KEY_FILE'],
    ({ KAFKA_TLS_CERT_FILE: cert, KAFKA_TLS_KEY_FILE: key }) =>
      cert === undefined || key === undefined || belongTogether(cert.reveal(), key.reveal())
        ? null
        : 'KAFKA_TLS_KEY_FILE does not belong to KAFKA_TLS_CERT_FILE. Expected the private key of that certificate, not ' +
          'encrypted, for example KAFKA_TLS_KEY_FILE=/etc/kafka-tls/tls.key.',
  ),
  ...(['KAFKA_TLS_CA_FILE', 'KAFKA_TLS_CERT_FILE', 'KAFKA_TLS_KEY_FILE'] as const).map((file) =>
    rule(['KAFKA_TLS', file], (values) =>
      values[file] !== undefined && !values.KAFKA_TLS
        ? `${file} is set, but KAFKA_TLS is false. Set KAFKA_TLS=true, or remove ${file}.`
        : null,
    ),
  ),
  rule(['ALIBABA_CLOUD_ECS_METADATA', 'ALIBABA_CLOUD_ECS_METADATA_DISABLED'], (values) =>
    values.ALIBABA_CLOUD_ECS_METADATA !== undefined && values.ALIBABA_CLOUD_ECS_METADATA_DISABLED
      ? 'ALIBABA_CLOUD_ECS_METADATA is set, but ALIBABA_CLOUD_ECS_METADATA_DISABLED is true. Expected only one of ' +
        'them, for example ALIBABA_CLOUD_ECS_METADATA_DISABLED=false.'
      : null,
  ),
]

export const ruleErrors: Rule = (values, invalid, textOf) =>
  RULES.flatMap((check) => check(values, invalid, textOf))

/** A tenth of the limit, because it is not known how the vendor counts within a second. */
export function defaultBurst(qps: number): number {
  return Math.max(1, Math.ceil(qps / 10))
}

export function retryTopicNames(values: Pick<Values, RetrySetting>): string[] {
  return values.DEFER_DELAYS.map(({ text }) => `${values.KAFKA_RETRY_TOPIC_PREFIX}.${text}`)
}

function sameTopicTwice(values: Pick<Values, TopicSetting | RetrySetting>): string | null {
  const named = [
    ...TOPICS.map((name) => [name, values[name]] as const),
    ...retryTopicNames(values).map((topic) => ['KAFKA_RETRY_TOPIC_PREFIX', topic] as const),
  ]
  const seen = new Map<string, string>()
  for (const [name, topic] of named) {
    // Kafka rejects two topics that differ only in dots and underscores, because the names of their metrics collide.
    const canonical = topic.replaceAll('.', '_')
    const earlier = seen.get(canonical)
    if (earlier !== undefined) {
      return (
        `${name} gives the topic ${shown(topic)}, which ${earlier} gives, too. ` +
        'Expected different topics (dots and underscores count as the same), for example KAFKA_RESULT_TOPIC=verification.result.'
      )
    }
    seen.set(canonical, name)
  }
  return null
}

function togetherOrNone(names: readonly SettingName[]): Rule {
  return rule(names, (values) => {
    const set = names.filter((name) => values[name] !== undefined)
    const unset = names.filter((name) => values[name] === undefined)
    return set.length === 0 || unset.length === 0 ? null : onlySomeSet(set, unset)
  })
}

function rule<K extends SettingName>(
  names: readonly K[],
  check: (values: Pick<Values, K>, textOf: TextOf) => string | null,
): Rule {
  return (values, invalid, textOf) => {
    if (names.some(invalid)) return []
    // None of them is invalid, so each has been read, or is optional.
    const error = check(values as Pick<Values, K>, textOf)
    return error === null ? [] : [error]
  }
}
