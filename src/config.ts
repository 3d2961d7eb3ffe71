/**
 * The settings of the service, read from the environment and checked before anything else happens. All faults are found
 * at once. Nothing here throws, and no secret gets into a fault or a description.
 */
import type { Codec } from './core/compression.ts'
import type { Delivery } from './core/delivery.ts'
import type { RetryTopic } from './core/defer.ts'
import type { ForeignRecords } from './core/foreign-records.ts'
import type { PiiMode } from './core/normalize/privacy.ts'
import type { StartOffset } from './core/start-offset.ts'
import { chooseCredentials, credentialErrors, type CredentialsConfig } from './config/credentials.ts'
import { describeValues, type SettingRow } from './config/describe.ts'
import { missing, refused } from './config/errors.ts'
import {
  gather,
  readTextFile,
  withFiles,
  type Environment,
  type Gathered,
  type ReadText,
} from './config/environment.ts'
import { chooseLogin, type LoginConfig } from './config/login.ts'
import { defaultBurst, retryTopicNames, ruleErrors } from './config/rules.ts'
import type { Secret } from './config/secret.ts'
import { SETTING_NAMES, environment, type SettingName, type Values } from './config/settings.ts'
import { unknownNames } from './config/unknown-names.ts'

export interface Config {
  readonly kafka: {
    readonly brokers: readonly string[]
    readonly clientId: string
    readonly groupId: string
    readonly delivery: Delivery
    readonly foreignRecords: ForeignRecords
    /** Of what the service writes. */
    readonly compression: Codec
    /** Of partitions of the input topic without a committed offset. */
    readonly startOffset: StartOffset
    readonly sessionTimeoutMs: number
    /** PEM texts; null where not given. The whole is null without TLS. */
    readonly tls: {
      readonly ca: Secret | null
      readonly cert: Secret | null
      readonly key: Secret | null
    } | null
    readonly sasl: LoginConfig | null
  }
  readonly topics: { readonly input: string; readonly result: string; readonly deadLetter: string }
  readonly registry: {
    /** Without a slash at its end. */
    readonly url: string
    readonly auth: { readonly username: string; readonly password: Secret } | null
  }
  readonly checkresult: {
    /** Scheme, host and port. */
    readonly endpoint: string
    readonly qps: number | 'unlimited'
    /** Null where nothing is limited. */
    readonly burst: number | null
    readonly qpsGuardMs: number
    readonly timeoutMs: number
    readonly maxInFlight: number
  }
  readonly quota: QuotaConfig
  readonly credentials: CredentialsConfig
  readonly defer: {
    /** In ascending order of their delays; at least one. */
    readonly retryTopics: readonly RetryTopic[]
    readonly maxAgeMs: number
  }
  /** 0 looks for no repeats. */
  readonly dedupeWindowMs: number
  readonly deadLetterLimit: {
    /** Of the last hundred records; null never brakes. */
    readonly share: number | null
    readonly cooldownMs: number
  }
  readonly deadLetters: { readonly maxRedrives: number }
  readonly result: { readonly pii: PiiMode }
  readonly ops: { readonly host: string; readonly port: number }
  readonly log: { readonly level: 'info' | 'warn' | 'error' | 'silent' }
  readonly shutdownDeadlineMs: number
}

export type QuotaConfig =
  | { readonly mode: 'partition' }
  | {
      readonly mode: 'redis'
      readonly url: Secret
      /** PEM text; null for the public authorities. */
      readonly ca: Secret | null
      readonly key: string
    }

export type Loaded =
  | { readonly kind: 'ok'; readonly config: Config; readonly settings: readonly SettingRow[] }
  /** One sentence each; at least one. */
  | { readonly kind: 'errors'; readonly errors: readonly string[] }

export function loadConfig(env: Environment, readText: ReadText = readTextFile): Loaded {
  const gathered = gather(env, readText)
  const read = readValues(gathered)
  const invalid = new Set([...gathered.failed, ...read.failed])
  const isSet = (name: SettingName) => gathered.environmentValues.has(name) || gathered.failed.has(name)
  const errors = [
    ...gathered.errors,
    ...read.errors,
    ...ruleErrors(read.values, (name) => invalid.has(name)),
    ...credentialErrors(isSet),
    ...unknownNames(Object.keys(env)),
  ]
  if (errors.length > 0) return { kind: 'errors', errors }
  const values = withFiles(environment.parse(textsOf(gathered)), gathered.environmentValues)
  const credentials = chooseCredentials(values)
  if (credentials === null) return { kind: 'errors', errors: credentialErrors(() => false) }
  return {
    kind: 'ok',
    config: toConfig(values, credentials),
    settings: describeValues(gathered.environmentValues, values),
  }
}

interface Read {
  readonly values: Partial<Values>
  readonly errors: readonly string[]
  readonly failed: ReadonlySet<SettingName>
}

/** One by one, so that what is well-formed is known although something else is not. */
function readValues({ environmentValues, failed: unread }: Gathered): Read {
  const values: Record<string, unknown> = {}
  const errors: string[] = []
  const failed = new Set<SettingName>()
  for (const name of SETTING_NAMES) {
    if (unread.has(name)) continue
    const found = environmentValues.get(name)
    const result = environment.shape[name].safeParse(found?.text)
    if (result.success) values[name] = result.data
    else {
      failed.add(name)
      errors.push(found === undefined ? missing(name) : refused(name, found))
    }
  }
  return { values, errors, failed }
}

function textsOf({ environmentValues }: Gathered): Record<string, string> {
  return Object.fromEntries([...environmentValues].map(([name, { text }]) => [name, text]))
}

function toConfig(values: Values, credentials: CredentialsConfig): Config {
  const qps = values.CHECKRESULT_QPS
  const retryNames = retryTopicNames(values)
  return {
    kafka: kafka(values),
    topics: {
      input: values.KAFKA_INPUT_TOPIC,
      result: values.KAFKA_RESULT_TOPIC,
      deadLetter: values.KAFKA_DEAD_LETTER_TOPIC,
    },
    registry: { url: values.SCHEMA_REGISTRY_URL, auth: registryAuth(values) },
    checkresult: {
      endpoint: values.CHECKRESULT_ENDPOINT,
      qps,
      burst: qps === 'unlimited' ? null : (values.CHECKRESULT_BURST ?? defaultBurst(qps)),
      qpsGuardMs: values.CHECKRESULT_QPS_GUARD,
      timeoutMs: values.CHECKRESULT_TIMEOUT,
      maxInFlight: values.CHECKRESULT_MAX_IN_FLIGHT,
    },
    quota: quota(values),
    credentials,
    defer: {
      retryTopics: values.DEFER_DELAYS.map(({ ms }, at) => ({ topic: retryNames[at] ?? '', delayMs: ms })),
      maxAgeMs: values.DEFER_MAX_AGE,
    },
    dedupeWindowMs: values.DEDUPE_WINDOW,
    deadLetterLimit: { share: values.DEAD_LETTER_LIMIT, cooldownMs: values.DEAD_LETTER_LIMIT_COOLDOWN },
    deadLetters: { maxRedrives: values.DEAD_LETTER_MAX_REDRIVES },
    result: { pii: values.RESULT_PII },
    ops: { host: values.OPS_HOST, port: values.OPS_PORT },
    log: { level: values.LOG_LEVEL },
    shutdownDeadlineMs: values.SHUTDOWN_DEADLINE,
  }
}

function kafka(values: Values): Config['kafka'] {
  return {
    brokers: values.KAFKA_BROKERS,
    clientId: values.KAFKA_CLIENT_ID,
    groupId: values.KAFKA_GROUP_ID,
    delivery: values.KAFKA_DELIVERY,
    foreignRecords: values.KAFKA_FOREIGN_RECORDS,
    compression: values.KAFKA_COMPRESSION,
    startOffset: values.KAFKA_START_OFFSET,
    sessionTimeoutMs: values.KAFKA_SESSION_TIMEOUT,
    tls: values.KAFKA_TLS
      ? {
          ca: values.KAFKA_TLS_CA_FILE ?? null,
          cert: values.KAFKA_TLS_CERT_FILE ?? null,
          key: values.KAFKA_TLS_KEY_FILE ?? null,
        }
      : null,
    sasl: chooseLogin(values),
  }
}

function quota(values: Values): QuotaConfig {
  const { CHECKRESULT_QUOTA: mode, REDIS_URL: url, CHECKRESULT_QUOTA_KEY: key } = values
  const ca = values.REDIS_TLS_CA_FILE ?? null
  return mode === 'redis' && url !== undefined ? { mode, url, ca, key } : { mode: 'partition' }
}

function registryAuth(values: Values): Config['registry']['auth'] {
  const { SCHEMA_REGISTRY_USERNAME: username, SCHEMA_REGISTRY_PASSWORD: password } = values
  return username === undefined || password === undefined ? null : { username, password }
}
