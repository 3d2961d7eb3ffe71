/**
 * The settings of the service, read from the environment and checked before anything else happens. All errors are found
 * at once. Nothing here throws, and no secret gets into an error or a description.
 */
import type { Codec } from './core/compression.ts'
import type { Delivery } from './core/delivery.ts'
import type { RetryTopic } from './core/records/defer.ts'
import type { ForeignRecords } from './core/records/foreign-records.ts'
import type { LogLevel } from './core/log-level.ts'
import type { PiiMode } from './core/normalize/privacy.ts'
import type { StartOffset } from './core/partitions/start-offset.ts'
import { connectionWarnings } from './config/connection-warnings.ts'
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
import { PARTS, settingsOf, type Part } from './config/parts.ts'
import { secretWarnings } from './config/secret-warnings.ts'
import { aboutSetting, environment, type SettingName, type Values } from './config/settings.ts'
import { nameErrors, nameWarnings } from './config/variable-names.ts'

export interface Config {
  readonly kafka: {
    readonly brokers: readonly string[]
    readonly clientId: string
    /** PEM texts; null if they are not set. The whole is null without TLS. */
    readonly tls: {
      readonly ca: Secret | null
      readonly cert: Secret | null
      readonly key: Secret | null
    } | null
    readonly sasl: LoginConfig | null
  }
  readonly consumer: {
    readonly groupId: string
    /** Null without static membership. */
    readonly groupInstanceId: string | null
    readonly delivery: Delivery
    readonly foreignRecords: ForeignRecords
    /** For partitions of the input topic without a committed offset. */
    readonly startOffset: StartOffset
    readonly sessionTimeoutMs: number
  }
  /** Codec of the records that the service writes. */
  readonly compression: Codec
  readonly topics: { readonly input: string; readonly result: string; readonly deadLetter: string }
  readonly registry: {
    /** Without a trailing slash. */
    readonly url: string
    /** Sent with each request. */
    readonly clientId: string
    readonly auth: { readonly username: string; readonly password: Secret } | null
  }
  readonly checkresult: {
    /** Scheme, host and port. */
    readonly endpoint: string
    readonly qps: number | 'unlimited'
    /** Null if calls are not limited. */
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
  }
  readonly deferMaxAgeMs: number
  /** 0 disables the check for duplicates. */
  readonly dedupeWindowMs: number
  readonly deadLetterLimit: {
    /** Of the last hundred records; null means no limit. */
    readonly share: number | null
    readonly cooldownMs: number
  }
  readonly deadLetters: { readonly maxRedrives: number }
  readonly result: { readonly pii: PiiMode }
  readonly ops: { readonly host: string; readonly port: number }
  readonly log: { readonly level: LogLevel }
  readonly shutdownDeadlineMs: number
}

export type QuotaConfig =
  | { readonly mode: 'partition' }
  | {
      readonly mode: 'redis'
      readonly url: Secret
      /** PEM text; null for public authorities. */
      readonly ca: Secret | null
      readonly key: string
    }

export type Loaded<P extends Part = Part> =
  | {
      readonly kind: 'ok'
      readonly config: Pick<Config, P>
      readonly settings: readonly SettingRow[]
      readonly warnings: readonly string[]
    }
  /** At least one error, each in one line. */
  | { readonly kind: 'errors'; readonly errors: readonly string[]; readonly warnings: readonly string[] }

/** All of the configuration, as the service needs it. */
export function loadConfig(env: Environment, readText: ReadText = readTextFile): Loaded {
  return loadParts(PARTS, env, readText)
}

/** Reads and checks the settings of these parts and no others. */
export function loadParts<P extends Part>(
  parts: readonly P[],
  env: Environment,
  readText: ReadText = readTextFile,
): Loaded<P> {
  const names = settingsOf(parts)
  const gathered = gather(env, names, readText)
  const read = readValues(gathered, names)
  const isInScope = (name: SettingName) => names.includes(name)
  const isUnknown = (name: SettingName) =>
    gathered.failed.has(name) || read.failed.has(name) || !isInScope(name)
  const isSet = (name: SettingName) => gathered.environmentValues.has(name) || gathered.failed.has(name)
  const textOf = (name: SettingName) =>
    gathered.environmentValues.get(name)?.text ?? aboutSetting(name).default ?? ''
  const errors = [
    ...gathered.errors,
    ...read.errors,
    ...ruleErrors(read.values, isUnknown, textOf),
    ...(parts.some((part) => part === 'credentials') ? credentialErrors(isSet) : []),
    ...nameErrors(Object.keys(env), isInScope),
  ]
  const warnings = [
    ...nameWarnings(env, isInScope),
    ...secretWarnings(gathered.environmentValues, read.failed),
    ...connectionWarnings(read.values, isUnknown),
  ]
  if (errors.length > 0) return { kind: 'errors', errors, warnings }
  // Without an error every setting in scope has been read, and a part looks at no other one.
  const values = withFiles(read.values as Values, gathered.environmentValues)
  const config = Object.fromEntries(parts.map((part) => [part, MAKE[part](values)])) as Pick<Config, P>
  return { kind: 'ok', config, settings: describeValues(names, gathered.environmentValues, values), warnings }
}

interface Read {
  readonly values: Partial<Values>
  readonly errors: readonly string[]
  readonly failed: ReadonlySet<SettingName>
}

/** Reads settings one by one, so that valid values are known even if others are invalid. */
function readValues({ environmentValues, failed: unread }: Gathered, names: readonly SettingName[]): Read {
  const values: Record<string, unknown> = {}
  const errors: string[] = []
  const failed = new Set<SettingName>()
  for (const name of names) {
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

const MAKE: { readonly [P in Part]: (values: Values) => Config[P] } = {
  kafka,
  consumer: (values) => ({
    groupId: values.KAFKA_GROUP_ID,
    groupInstanceId: values.KAFKA_GROUP_INSTANCE_ID ?? null,
    delivery: values.KAFKA_DELIVERY,
    foreignRecords: values.KAFKA_FOREIGN_RECORDS,
    startOffset: values.KAFKA_START_OFFSET,
    sessionTimeoutMs: values.KAFKA_SESSION_TIMEOUT,
  }),
  compression: (values) => values.KAFKA_COMPRESSION,
  topics: (values) => ({
    input: values.KAFKA_INPUT_TOPIC,
    result: values.KAFKA_RESULT_TOPIC,
    deadLetter: values.KAFKA_DEAD_LETTER_TOPIC,
  }),
  registry: (values) => ({
    url: values.SCHEMA_REGISTRY_URL,
    clientId: values.KAFKA_CLIENT_ID,
    auth: registryAuth(values),
  }),
  checkresult,
  quota,
  credentials: chooseCredentials,
  defer,
  deferMaxAgeMs: (values) => values.DEFER_MAX_AGE,
  dedupeWindowMs: (values) => values.DEDUPE_WINDOW,
  deadLetterLimit: (values) => ({
    share: values.DEAD_LETTER_LIMIT,
    cooldownMs: values.DEAD_LETTER_LIMIT_COOLDOWN,
  }),
  deadLetters: (values) => ({ maxRedrives: values.DEAD_LETTER_MAX_REDRIVES }),
  result: (values) => ({ pii: values.RESULT_PII }),
  ops: (values) => ({ host: values.OPS_HOST, port: values.OPS_PORT }),
  log: (values) => ({ level: values.LOG_LEVEL }),
  shutdownDeadlineMs: (values) => values.SHUTDOWN_DEADLINE,
}

function checkresult(values: Values): Config['checkresult'] {
  const qps = values.CHECKRESULT_QPS
  return {
    endpoint: values.CHECKRESULT_ENDPOINT,
    qps,
    burst: qps === 'unlimited' ? null : (values.CHECKRESULT_BURST ?? defaultBurst(qps)),
    qpsGuardMs: values.CHECKRESULT_QPS_GUARD,
    timeoutMs: values.CHECKRESULT_TIMEOUT,
    maxInFlight: values.CHECKRESULT_MAX_IN_FLIGHT,
  }
}

function defer(values: Values): Config['defer'] {
  const retryNames = retryTopicNames(values)
  return {
    retryTopics: values.DEFER_DELAYS.map(({ ms }, at) => ({ topic: retryNames[at] ?? '', delayMs: ms })),
  }
}

function kafka(values: Values): Config['kafka'] {
  return {
    brokers: values.KAFKA_BROKERS,
    clientId: values.KAFKA_CLIENT_ID,
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
