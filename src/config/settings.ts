/**
 * Every setting of the service: one zod schema over the environment, from which the types, the checks, `config check`
 * and the table in docs/settings.md are made. Each setting carries the words for its table row and for its fault.
 */
import { z } from 'zod'
import { CODECS } from '../core/compression.ts'
import { DELIVERIES } from '../core/delivery.ts'
import { FOREIGN_RECORDS } from '../core/foreign-records.ts'
import { PII_MODES } from '../core/normalize/privacy.ts'
import { QUOTA_MODES } from '../core/quota-mode.ts'
import { START_OFFSETS } from '../core/start-offset.ts'
import {
  ascendingDurations,
  brokers,
  callsPerSecond,
  credentialsUri,
  duration,
  durationBetween,
  durationOrOff,
  endpoint,
  filePath,
  host,
  oneOf,
  pemCertificates,
  pemKey,
  plainName,
  quotaKey,
  redisUrl,
  registryUrl,
  secret,
  secretWord,
  shareOrOff,
  tokenFile,
  tokenUrl,
  topic,
  userName,
  wholeNumber,
  word,
  yesOrNo,
  type Value,
} from './values.ts'

/**
 * What the variable holds: `text` the value itself; `secret` the value, or, with `_FILE` behind the name, the path of a
 * file with it; `content` the path of a file that holds the value; `path` the path of a file that others will read.
 */
export type Holds = 'text' | 'secret' | 'content' | 'path'

export interface About {
  readonly meaning: string
  readonly expected: string
  readonly example: string
  readonly holds: Holds
  readonly pattern?: string
  /** What an unset variable is read as. */
  readonly default?: string
  /** For the table: what an unset variable means, where that is no fixed text. */
  readonly otherwise?: string
}

interface SettingMetadata {
  readonly meaning: string
  readonly holds?: Holds
  readonly otherwise?: string
}

const about = z.registry<About>()

function required<T>(value: Value<T>, metadata: SettingMetadata) {
  return value.schema.clone().register(about, { ...aboutOf(value, metadata), otherwise: 'required' })
}

function withDefault<T>(value: Value<T>, text: string, metadata: SettingMetadata) {
  return value.schema.prefault(text).register(about, { ...aboutOf(value, metadata), default: text })
}

function optional<T>(value: Value<T>, metadata: SettingMetadata) {
  return value.schema.optional().register(about, aboutOf(value, metadata))
}

function aboutOf(value: Value<unknown>, metadata: SettingMetadata): About {
  const { expected, example, pattern } = value
  return { holds: 'text', expected, example, ...(pattern === undefined ? {} : { pattern }), ...metadata }
}

export const environment = z.object({
  KAFKA_BROKERS: required(brokers, { meaning: 'Brokers to start from.' }),
  KAFKA_CLIENT_ID: withDefault(plainName(200, 'checkresult-stream'), 'checkresult-stream', {
    meaning: 'Name shown to the brokers and the registry.',
  }),
  KAFKA_TLS: withDefault(yesOrNo, 'false', { meaning: 'TLS to the brokers.' }),
  KAFKA_TLS_CA_FILE: optional(pemCertificates('/etc/kafka-tls/ca.crt'), {
    meaning: 'Certificate authority of the brokers, where it is no public one (PEM).',
    holds: 'content',
  }),
  KAFKA_TLS_CERT_FILE: optional(pemCertificates('/etc/kafka-tls/tls.crt'), {
    meaning: 'Client certificate (PEM), with `KAFKA_TLS_KEY_FILE`.',
    holds: 'content',
  }),
  KAFKA_TLS_KEY_FILE: optional(pemKey('/etc/kafka-tls/tls.key'), {
    meaning: 'Private key of the client certificate (PEM).',
    holds: 'content',
  }),
  KAFKA_SASL_MECHANISM: optional(
    oneOf(['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'], 'scram-sha-512'),
    {
      meaning: 'Login at the brokers: `plain`, `scram-sha-256`, `scram-sha-512` or `oauthbearer`.',
      otherwise: 'no login',
    },
  ),
  KAFKA_SASL_USERNAME: optional(userName, { meaning: 'User for the login with a password.' }),
  KAFKA_SASL_PASSWORD: optional(secret('…'), { meaning: 'Password for the login.', holds: 'secret' }),
  KAFKA_SASL_OAUTH_TOKEN_FILE: optional(tokenFile('/var/run/secrets/kafka/token'), {
    meaning: 'For `oauthbearer`: file with a token that others keep fresh; read again at every login.',
    holds: 'content',
  }),
  KAFKA_SASL_OAUTH_TOKEN_URL: optional(tokenUrl, {
    meaning: 'For `oauthbearer`, instead of the file: token endpoint (client credentials grant).',
  }),
  KAFKA_SASL_OAUTH_CLIENT_ID: optional(word('checkresult-stream'), { meaning: 'Client at that endpoint.' }),
  KAFKA_SASL_OAUTH_CLIENT_SECRET: optional(secret('…'), {
    meaning: 'Secret of the client.',
    holds: 'secret',
  }),
  KAFKA_SASL_OAUTH_SCOPE: optional(userName, { meaning: 'Scope to ask for, if any.' }),
  KAFKA_GROUP_ID: withDefault(plainName(200, 'checkresult-stream'), 'checkresult-stream', {
    meaning: 'Consumer group; transactional ids begin with it.',
  }),
  KAFKA_INPUT_TOPIC: withDefault(topic('verification.completed'), 'verification.completed', {
    meaning: 'Events come from here.',
  }),
  KAFKA_RESULT_TOPIC: withDefault(topic('verification.result'), 'verification.result', {
    meaning: 'Results go here.',
  }),
  KAFKA_DEAD_LETTER_TOPIC: withDefault(topic('verification.dead-letter'), 'verification.dead-letter', {
    meaning: 'What can never be settled goes here.',
  }),
  KAFKA_RETRY_TOPIC_PREFIX: withDefault(
    topic('verification.completed.retry'),
    'verification.completed.retry',
    {
      meaning: 'Retry topics are named after it and each of `DEFER_DELAYS`, joined by a dot.',
    },
  ),
  KAFKA_DELIVERY: withDefault(oneOf(DELIVERIES, 'exactly-once'), 'exactly-once', {
    meaning:
      '`exactly-once`, or `at-least-once` for brokers without transactions: results may then come out again after a crash.',
  }),
  KAFKA_FOREIGN_RECORDS: withDefault(oneOf(FOREIGN_RECORDS, 'skip'), 'skip', {
    meaning:
      'Records on the input topic that are not events (tombstones, records with another schema): `skip` counts and skips them, ' +
      '`dead-letter` keeps them. Neither counts towards the dead-letter limit.',
  }),
  KAFKA_COMPRESSION: withDefault(oneOf(CODECS, 'none'), 'none', {
    meaning:
      'Compression of what the service writes: `none`, `gzip`, `snappy`, `lz4` or `zstd`. A record above 64 KiB is always compressed with gzip.',
  }),
  KAFKA_START_OFFSET: withDefault(oneOf(START_OFFSETS, 'earliest'), 'earliest', {
    meaning:
      'Where the group starts on partitions of the input topic for which it has no committed offset: `earliest` reads everything ' +
      'that is retained, `latest` only what comes from then on.',
  }),
  KAFKA_SESSION_TIMEOUT: withDefault(durationBetween('6s', '30m', '10s'), '10s', {
    meaning: "A killed replica's partitions move to others after this long.",
  }),

  SCHEMA_REGISTRY_URL: required(registryUrl, {
    meaning: 'Schema registry with the Confluent API.',
  }),
  SCHEMA_REGISTRY_USERNAME: optional(userName, { meaning: 'User for basic authentication.' }),
  SCHEMA_REGISTRY_PASSWORD: optional(secret('…'), {
    meaning: 'Password for basic authentication.',
    holds: 'secret',
  }),

  CHECKRESULT_ENDPOINT: withDefault(endpoint, 'https://cloudauth-intl.cn-hongkong.aliyuncs.com', {
    meaning: 'CheckResult API: that of the region where the verifications were started.',
  }),
  CHECKRESULT_QPS: withDefault(callsPerSecond, '10', {
    meaning:
      "Calls in any second, of all replicas together: the account's limit. `unlimited` switches the limiter off, for a loopback endpoint only.",
  }),
  CHECKRESULT_BURST: optional(wholeNumber(1, 100_000, 2), {
    meaning: 'Calls a replica may start at once after idling.',
    otherwise: 'a tenth of `CHECKRESULT_QPS`',
  }),
  CHECKRESULT_QPS_GUARD: withDefault(durationBetween('0', '1s', '20ms'), '20ms', {
    meaning:
      'Added to the second within which calls are counted: as much as the time on the way to the API may vary. A fiftieth of the quota, as set.',
  }),
  CHECKRESULT_QUOTA: withDefault(oneOf(QUOTA_MODES, 'partition'), 'partition', {
    meaning:
      'How replicas share the limit: `partition` splits it over the partitions of the input topic; `redis` counts in Redis, for ' +
      'skewed load and programs beside this one.',
  }),
  REDIS_URL: optional(redisUrl, {
    meaning: 'For `CHECKRESULT_QUOTA=redis`: where it is counted.',
    holds: 'secret',
  }),
  REDIS_TLS_CA_FILE: optional(pemCertificates('/etc/redis-tls/ca.crt'), {
    meaning: 'Certificate authority of Redis (`rediss://`), where it is no public one (PEM).',
    holds: 'content',
  }),
  CHECKRESULT_QUOTA_KEY: withDefault(quotaKey, 'checkresult:quota', {
    meaning:
      'For `CHECKRESULT_QUOTA=redis`: key it is counted under, the same for all who share the account.',
  }),
  CHECKRESULT_TIMEOUT: withDefault(durationBetween('100ms', '55s', '8s'), '8s', {
    meaning: 'Deadline of a call, quick retries after a failed one included.',
  }),
  CHECKRESULT_MAX_IN_FLIGHT: withDefault(wholeNumber(1, 10_000, 128), '128', {
    meaning: 'Calls under way at once, and connections to the API, per replica.',
  }),

  DEFER_DELAYS: withDefault(ascendingDurations, '10s,1m,10m', {
    meaning: 'How long an event that cannot be settled yet waits: first, then, and from then on.',
  }),
  DEFER_MAX_AGE: withDefault(duration, '6h', {
    meaning: 'An event that cannot be settled for this long becomes a dead letter.',
  }),
  DEDUPE_WINDOW: withDefault(durationOrOff, '10m', {
    meaning:
      'An event is skipped without a call if another one on its partition had a result for the same transaction within this time; `off` makes a call for each event.',
  }),
  DEAD_LETTER_LIMIT: withDefault(shareOrOff, '50%', {
    meaning:
      'When more than this share of the last 100 records would become dead letters, the gate closes instead; `off` lets them all through.',
  }),
  DEAD_LETTER_LIMIT_COOLDOWN: withDefault(duration, '5m', {
    meaning: 'After this the brake lets go by itself, and holds again if the next records are no better.',
  }),
  DEAD_LETTER_MAX_REDRIVES: withDefault(wholeNumber(1, 1_000, 3), '3', {
    meaning: 'A dead letter that was put back so often and failed each time is not put back again.',
  }),
  RESULT_PII: withDefault(oneOf(PII_MODES, 'include'), 'include', {
    meaning: 'Personal fields in results: `include`, `mask` or `omit`.',
  }),

  OPS_HOST: withDefault(host, '0.0.0.0', { meaning: 'Address of the health and metrics server.' }),
  OPS_PORT: withDefault(wholeNumber(0, 65_535, 9_464), '9464', {
    meaning: 'Port of the health and metrics server; 0 takes a free one.',
  }),
  LOG_LEVEL: withDefault(oneOf(['info', 'warn', 'error', 'silent'], 'info'), 'info', {
    meaning: 'Least level that is logged: `info`, `warn`, `error` or `silent`.',
  }),
  SHUTDOWN_DEADLINE: withDefault(durationBetween('1s', '10m', '25s'), '25s', {
    meaning:
      'Time to settle and commit what is in hand after SIGTERM; at least `CHECKRESULT_TIMEOUT` and 5 seconds.',
  }),

  ALIBABA_CLOUD_ACCESS_KEY_ID: optional(secretWord('…'), {
    meaning: 'Access key, with its secret.',
    holds: 'secret',
  }),
  ALIBABA_CLOUD_ACCESS_KEY_SECRET: optional(secretWord('…'), {
    meaning: 'Secret of the access key.',
    holds: 'secret',
  }),
  ALIBABA_CLOUD_SECURITY_TOKEN: optional(secretWord('…'), {
    meaning: 'STS token, where the access key is a temporary one.',
    holds: 'secret',
  }),
  ALIBABA_CLOUD_ROLE_ARN: optional(word('acs:ram::1234567890123456:role/checkresult'), {
    meaning: 'Role to assume by OIDC (RRSA).',
  }),
  ALIBABA_CLOUD_OIDC_PROVIDER_ARN: optional(word('acs:ram::1234567890123456:oidc-provider/ack-rrsa'), {
    meaning: 'Identity provider for it.',
  }),
  ALIBABA_CLOUD_OIDC_TOKEN_FILE: optional(
    filePath('/var/run/secrets/ack.alibabacloud.com/rrsa-tokens/token'),
    {
      meaning: 'File with the OIDC token; read again whenever the role is assumed anew.',
      holds: 'path',
    },
  ),
  ALIBABA_CLOUD_ROLE_SESSION_NAME: optional(plainName(64, 'checkresult-stream'), {
    meaning: 'Session name for the role.',
  }),
  ALIBABA_CLOUD_STS_REGION: optional(plainName(64, 'cn-hongkong'), {
    meaning: 'Region whose STS is asked for the role.',
  }),
  ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED: withDefault(yesOrNo, 'false', {
    meaning: "STS by the region's internal address.",
  }),
  ALIBABA_CLOUD_PROFILE: optional(word('production'), {
    meaning: 'Profile in the files of the Alibaba Cloud CLI.',
  }),
  ALIBABA_CLOUD_ECS_METADATA: optional(plainName(64, 'checkresult-role'), {
    meaning: 'Role of the ECS instance.',
  }),
  ALIBABA_CLOUD_ECS_METADATA_DISABLED: withDefault(yesOrNo, 'false', {
    meaning: 'Leaves the role of the instance alone.',
  }),
  ALIBABA_CLOUD_IMDSV1_DISABLED: withDefault(yesOrNo, 'false', {
    meaning: "Only the hardened way to the instance's role.",
  }),
  ALIBABA_CLOUD_CREDENTIALS_URI: optional(credentialsUri, {
    meaning: 'Local address that hands out credentials.',
    holds: 'secret',
  }),
})

export type Values = z.output<typeof environment>
export type SettingName = keyof Values

export const SETTING_NAMES = Object.keys(environment.shape) as readonly SettingName[]

export function aboutSetting(setting: SettingName): About {
  const found = about.get(environment.shape[setting])
  if (found === undefined) throw new Error(`${setting} is not described.`)
  return found
}

/** The name under which the setting's value may also be given as a file. */
export function fileVariant(setting: SettingName): string | null {
  return aboutSetting(setting).holds === 'secret' ? `${setting}_FILE` : null
}
