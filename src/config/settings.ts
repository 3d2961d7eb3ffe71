/**
 * Every setting of the service: one zod schema over the environment. The types, the checks, `config check`, the table in
 * docs/settings.md and the values of the Helm chart are derived from it, including the texts of the table and of the errors.
 */
import { z } from 'zod'
import { CODECS } from '../core/compression.ts'
import { DELIVERIES } from '../core/delivery.ts'
import { FOREIGN_RECORDS } from '../core/records/foreign-records.ts'
import { LOG_LEVELS } from '../core/log-level.ts'
import { PII_MODES } from '../core/normalize/privacy.ts'
import { QUOTA_MODES } from '../core/quota/quota-mode.ts'
import { START_OFFSETS } from '../core/partitions/start-offset.ts'
import { describedBy, optional, required, withDefault, type Described } from './described.ts'
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
  groupInstanceId,
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
} from './values.ts'

export const environment = z.object({
  KAFKA_BROKERS: required(brokers, { meaning: 'Bootstrap brokers, each as `host:port`.' }),
  KAFKA_CLIENT_ID: withDefault(plainName(200, 'checkresult-stream'), 'checkresult-stream', {
    meaning: 'Client id that the brokers and the registry see.',
  }),
  KAFKA_TLS: withDefault(yesOrNo, 'false', { meaning: 'Use TLS for connections to the brokers.' }),
  KAFKA_TLS_CA_FILE: optional(pemCertificates('/etc/kafka-tls/ca.crt'), {
    meaning: 'CA certificate of the brokers (PEM), if they do not use a public CA.',
    holds: 'content',
  }),
  KAFKA_TLS_CERT_FILE: optional(pemCertificates('/etc/kafka-tls/tls.crt'), {
    meaning: 'Client certificate (PEM). Requires `KAFKA_TLS_KEY_FILE`.',
    holds: 'content',
  }),
  KAFKA_TLS_KEY_FILE: optional(pemKey('/etc/kafka-tls/tls.key'), {
    meaning: 'Private key of the client certificate (PEM).',
    holds: 'content',
  }),
  KAFKA_SASL_MECHANISM: optional(
    oneOf(['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'], 'scram-sha-512'),
    {
      meaning: 'SASL mechanism for the brokers: `plain`, `scram-sha-256`, `scram-sha-512` or `oauthbearer`.',
      otherwise: 'no login',
    },
  ),
  KAFKA_SASL_USERNAME: optional(userName, { meaning: 'User name for `plain` and SCRAM.' }),
  KAFKA_SASL_PASSWORD: optional(secret('…'), { meaning: 'Password for `plain` and SCRAM.', holds: 'secret' }),
  KAFKA_SASL_OAUTH_TOKEN_FILE: optional(tokenFile('/var/run/secrets/kafka/token'), {
    meaning: 'For `oauthbearer`: file with a token that another program renews. It is read at every login.',
    holds: 'content',
  }),
  KAFKA_SASL_OAUTH_TOKEN_URL: optional(tokenUrl, {
    meaning: 'For `oauthbearer`, instead of a token file: token endpoint (client credentials grant).',
  }),
  KAFKA_SASL_OAUTH_CLIENT_ID: optional(word('checkresult-stream'), {
    meaning: 'Client id for the token endpoint.',
  }),
  KAFKA_SASL_OAUTH_CLIENT_SECRET: optional(secret('…'), {
    meaning: 'Client secret for the token endpoint.',
    holds: 'secret',
  }),
  KAFKA_SASL_OAUTH_SCOPE: optional(userName, {
    meaning: 'Scope to request from the token endpoint, if any.',
  }),
  KAFKA_GROUP_ID: withDefault(plainName(200, 'checkresult-stream'), 'checkresult-stream', {
    meaning: 'Consumer group. Transactional ids start with it.',
  }),
  KAFKA_GROUP_INSTANCE_ID: optional(groupInstanceId, {
    meaning:
      'Name of this replica in the group, different for each replica (static membership, Kafka 2.3 or newer). A replica that is ' +
      'killed and restarted with the same name gets its partitions back at once, not after `KAFKA_SESSION_TIMEOUT`.',
    otherwise: 'no static membership',
  }),
  KAFKA_INPUT_TOPIC: withDefault(topic('verification.completed'), 'verification.completed', {
    meaning: 'Topic from which the service reads events.',
  }),
  KAFKA_RESULT_TOPIC: withDefault(topic('verification.result'), 'verification.result', {
    meaning: 'Topic to which the service writes results.',
  }),
  KAFKA_DEAD_LETTER_TOPIC: withDefault(topic('verification.dead-letter'), 'verification.dead-letter', {
    meaning: 'Topic to which the service writes dead letters: events that cannot get a result.',
  }),
  KAFKA_RETRY_TOPIC_PREFIX: withDefault(
    topic('verification.completed.retry'),
    'verification.completed.retry',
    {
      meaning: 'Prefix of the retry topics. Each name is the prefix, a dot and one of `DEFER_DELAYS`.',
    },
  ),
  KAFKA_DELIVERY: withDefault(oneOf(DELIVERIES, 'exactly-once'), 'exactly-once', {
    meaning:
      '`exactly-once`, or `at-least-once` for brokers without transactions. With `at-least-once`, results may be published twice after a crash.',
  }),
  KAFKA_FOREIGN_RECORDS: withDefault(oneOf(FOREIGN_RECORDS, 'skip'), 'skip', {
    meaning:
      'What to do with records on the input topic that are not events (tombstones, records with another schema): `skip` counts and ' +
      'skips them, `dead-letter` writes them to the dead-letter topic. Neither counts towards the dead-letter limit.',
  }),
  KAFKA_COMPRESSION: withDefault(oneOf(CODECS, 'none'), 'none', {
    meaning:
      'Compression of the records that the service writes: `none`, `gzip`, `snappy`, `lz4` or `zstd`. Records larger than 64 KiB are always compressed with gzip.',
  }),
  KAFKA_START_OFFSET: withDefault(oneOf(START_OFFSETS, 'earliest'), 'earliest', {
    meaning:
      'Where the group starts on partitions of the input topic without a committed offset: `earliest` reads all retained events, ' +
      '`latest` only new ones.',
  }),
  KAFKA_SESSION_TIMEOUT: withDefault(durationBetween('6s', '30m', '10s'), '10s', {
    meaning: 'Partitions of a crashed replica move to other replicas after this time.',
  }),

  SCHEMA_REGISTRY_URL: required(registryUrl, {
    meaning: 'Schema registry with the Confluent API.',
  }),
  SCHEMA_REGISTRY_USERNAME: optional(userName, {
    meaning: 'User name for basic authentication at the registry.',
  }),
  SCHEMA_REGISTRY_PASSWORD: optional(secret('…'), {
    meaning: 'Password for basic authentication at the registry.',
    holds: 'secret',
  }),

  CHECKRESULT_ENDPOINT: withDefault(endpoint, 'https://cloudauth-intl.cn-hongkong.aliyuncs.com', {
    meaning: 'CheckResult endpoint of the region in which the verifications are started.',
  }),
  CHECKRESULT_QPS: withDefault(callsPerSecond, '10', {
    meaning:
      "Maximum calls in any second, over all replicas: the account's limit. `unlimited` disables the limiter and requires a loopback endpoint.",
  }),
  CHECKRESULT_BURST: optional(wholeNumber(1, 100_000, 2), {
    meaning: 'Calls that one replica may start at once after an idle period.',
    otherwise: 'a tenth of `CHECKRESULT_QPS`',
  }),
  CHECKRESULT_QPS_GUARD: withDefault(durationBetween('0', '1s', '20ms'), '20ms', {
    meaning:
      'Extra time added to the one-second quota window to absorb network jitter. The default costs about 2 % of the quota.',
  }),
  CHECKRESULT_QUOTA: withDefault(oneOf(QUOTA_MODES, 'partition'), 'partition', {
    meaning:
      'How replicas share the limit: `partition` splits it by the partitions of the input topic, `redis` counts calls in Redis. ' +
      'Use `redis` for skewed load, or if other programs call with the same account.',
  }),
  REDIS_URL: optional(redisUrl, {
    meaning: 'For `CHECKRESULT_QUOTA=redis`: address of Redis.',
    holds: 'secret',
  }),
  REDIS_TLS_CA_FILE: optional(pemCertificates('/etc/redis-tls/ca.crt'), {
    meaning: 'CA certificate of Redis (PEM) for a `rediss://` address, if Redis does not use a public CA.',
    holds: 'content',
  }),
  CHECKRESULT_QUOTA_KEY: withDefault(quotaKey, 'checkresult:quota', {
    meaning:
      'For `CHECKRESULT_QUOTA=redis`: Redis key of the quota. Use the same key in all programs that share the account.',
  }),
  CHECKRESULT_TIMEOUT: withDefault(durationBetween('100ms', '55s', '8s'), '8s', {
    meaning: 'Deadline of a call, including quick retries.',
  }),
  CHECKRESULT_MAX_IN_FLIGHT: withDefault(wholeNumber(1, 10_000, 128), '128', {
    meaning: 'Maximum concurrent calls, and connections to the API, per replica.',
  }),

  DEFER_DELAYS: withDefault(ascendingDurations, '10s,1m,10m', {
    meaning:
      'Delays of the retry topics. An event without an answer waits for each delay in turn; the last one repeats.',
  }),
  DEFER_MAX_AGE: withDefault(duration, '6h', {
    meaning: 'An event that has no result after this time becomes a dead letter.',
  }),
  DEDUPE_WINDOW: withDefault(durationOrOff, '10m', {
    meaning:
      'An event is skipped without a call if its transaction already had a result on the same partition within this time. `off` makes a call for every event.',
  }),
  DEAD_LETTER_LIMIT: withDefault(shareOrOff, '50%', {
    meaning:
      'If more than this share of the last 100 records would become dead letters, the circuit breaker opens instead. `off` disables the limit.',
  }),
  DEAD_LETTER_LIMIT_COOLDOWN: withDefault(duration, '5m', {
    meaning:
      'After this time the circuit breaker closes again. The dead-letter limit trips again if the next records are no better.',
  }),
  DEAD_LETTER_MAX_REDRIVES: withDefault(wholeNumber(1, 1_000, 3), '3', {
    meaning: 'A dead letter that was put back this many times and failed each time is not put back again.',
  }),
  RESULT_PII: withDefault(oneOf(PII_MODES, 'include'), 'include', {
    meaning: 'Personal fields in results: `include`, `mask` or `omit` them.',
  }),

  OPS_HOST: withDefault(host, '0.0.0.0', { meaning: 'Listen address of the health and metrics server.' }),
  OPS_PORT: withDefault(wholeNumber(0, 65_535, 9_464), '9464', {
    meaning: 'Port of the health and metrics server. 0 picks a free port.',
  }),
  LOG_LEVEL: withDefault(oneOf(LOG_LEVELS, 'info'), 'info', {
    meaning: 'Lowest level that is logged: `debug`, `info`, `warn`, `error` or `silent`.',
  }),
  SHUTDOWN_DEADLINE: withDefault(durationBetween('1s', '10m', '25s'), '25s', {
    meaning:
      'Time after SIGTERM to finish and commit buffered records. Must be at least 5 seconds longer than `CHECKRESULT_TIMEOUT`.',
  }),

  ALIBABA_CLOUD_ACCESS_KEY_ID: optional(secretWord('…'), {
    meaning: 'Access key id. Requires `ALIBABA_CLOUD_ACCESS_KEY_SECRET`.',
    holds: 'secret',
  }),
  ALIBABA_CLOUD_ACCESS_KEY_SECRET: optional(secretWord('…'), {
    meaning: 'Access key secret.',
    holds: 'secret',
  }),
  ALIBABA_CLOUD_SECURITY_TOKEN: optional(secretWord('…'), {
    meaning: 'STS token, if the access key is temporary.',
    holds: 'secret',
  }),
  ALIBABA_CLOUD_ROLE_ARN: optional(word('acs:ram::1234567890123456:role/checkresult'), {
    meaning: 'RAM role to assume with an OIDC token (RRSA).',
  }),
  ALIBABA_CLOUD_OIDC_PROVIDER_ARN: optional(word('acs:ram::1234567890123456:oidc-provider/ack-rrsa'), {
    meaning: 'OIDC identity provider of the role.',
  }),
  ALIBABA_CLOUD_OIDC_TOKEN_FILE: optional(
    filePath('/var/run/secrets/ack.alibabacloud.com/rrsa-tokens/token'),
    {
      meaning: 'File with the OIDC token. It is read each time the role is assumed.',
      holds: 'path',
    },
  ),
  ALIBABA_CLOUD_ROLE_SESSION_NAME: optional(plainName(64, 'checkresult-stream'), {
    meaning: 'Session name for the role.',
  }),
  ALIBABA_CLOUD_STS_REGION: optional(plainName(64, 'cn-hongkong'), {
    meaning: 'Region of the STS endpoint that assumes the role.',
  }),
  ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED: withDefault(yesOrNo, 'false', {
    meaning: 'Use the VPC endpoint of STS instead of the public one.',
  }),
  ALIBABA_CLOUD_PROFILE: optional(word('production'), {
    meaning: 'Profile in the configuration files of the Alibaba Cloud CLI.',
  }),
  ALIBABA_CLOUD_ECS_METADATA: optional(plainName(64, 'checkresult-role'), {
    meaning: 'Name of the RAM role of the ECS instance.',
  }),
  ALIBABA_CLOUD_ECS_METADATA_DISABLED: withDefault(yesOrNo, 'false', {
    meaning: 'Disables credentials from the ECS instance role.',
  }),
  ALIBABA_CLOUD_IMDSV1_DISABLED: withDefault(yesOrNo, 'false', {
    meaning: 'Disables IMDSv1: credentials from the ECS instance role require the hardened metadata service.',
  }),
  ALIBABA_CLOUD_CREDENTIALS_URI: optional(credentialsUri, {
    meaning: 'Local URI that returns credentials.',
    holds: 'secret',
  }),
})

export type Values = z.output<typeof environment>
export type SettingName = keyof Values

export const SETTING_NAMES = Object.keys(environment.shape) as readonly SettingName[]

export function aboutSetting(setting: SettingName): Described {
  const found = describedBy(environment.shape[setting])
  if (found === undefined) throw new Error(`${setting} is not described.`)
  return found
}

/** The name under which the setting's value may also be given as a file. */
export function fileVariant(setting: SettingName): string | null {
  return aboutSetting(setting).holds === 'secret' ? `${setting}_FILE` : null
}
