/**
 * Variables that look like settings but are not: a misspelled or renamed one would otherwise leave its setting at the default.
 * Names with the prefixes in `SHARED` may belong to other programs, so only near misses
 * of ours count. Messages name variables and never values, because a misspelled name may hold a secret.
 */
import leven, { closestMatch } from 'leven'
import { SETTING_NAMES, aboutSetting, fileVariant, type SettingName } from './settings.ts'

type IsInScope = (name: SettingName) => boolean

const OURS = /^(CHECKRESULT|DEFER|DEDUPE|DEAD_LETTER|DLQ|RESULT|OPS|SHUTDOWN)_/
const SHARED = /^(KAFKA|SCHEMA_REGISTRY|ALIBABA_CLOUD|REDIS|LOG)_/

/** Variables that Kubernetes adds to every container for each service of the namespace. */
const SERVICE_LINK = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)$/

/** Names that settings had before. */
export const RENAMED: Readonly<Record<string, SettingName>> = {
  KAFKA_SESSION_TIMEOUT_MS: 'KAFKA_SESSION_TIMEOUT',
  CHECKRESULT_TIMEOUT_MS: 'CHECKRESULT_TIMEOUT',
  CHECKRESULT_QPS_GUARD_MS: 'CHECKRESULT_QPS_GUARD',
  SHUTDOWN_DEADLINE_MS: 'SHUTDOWN_DEADLINE',
  DEAD_LETTER_BRAKE: 'DEAD_LETTER_LIMIT',
  DEAD_LETTER_BRAKE_HOLD: 'DEAD_LETTER_LIMIT_COOLDOWN',
  DLQ_MAX_REDRIVES: 'DEAD_LETTER_MAX_REDRIVES',
}

/** Names that other programs use for the same thing, and the first of our settings that replace them. */
const OF_OTHER_TOOLS: Readonly<Record<string, readonly [SettingName, ...SettingName[]]>> = {
  KAFKA_BOOTSTRAP_SERVERS: ['KAFKA_BROKERS'],
  KAFKA_BOOTSTRAP_SERVER: ['KAFKA_BROKERS'],
  KAFKA_BROKER_LIST: ['KAFKA_BROKERS'],
  BOOTSTRAP_SERVERS: ['KAFKA_BROKERS'],
  BOOTSTRAP_SERVER: ['KAFKA_BROKERS'],
  SPRING_KAFKA_BOOTSTRAP_SERVERS: ['KAFKA_BROKERS'],
  KAFKA_USERNAME: ['KAFKA_SASL_USERNAME'],
  KAFKA_PASSWORD: ['KAFKA_SASL_PASSWORD'],
  KAFKA_SECURITY_PROTOCOL: ['KAFKA_TLS', 'KAFKA_SASL_MECHANISM'],
  KAFKA_SASL_JAAS_CONFIG: ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'],
  KAFKA_SSL_ENABLED: ['KAFKA_TLS'],
  KAFKA_CONSUMER_GROUP: ['KAFKA_GROUP_ID'],
  KAFKA_CONSUMER_GROUP_ID: ['KAFKA_GROUP_ID'],
  KAFKA_AUTO_OFFSET_RESET: ['KAFKA_START_OFFSET'],
  SCHEMA_REGISTRY: ['SCHEMA_REGISTRY_URL'],
  KAFKA_SCHEMA_REGISTRY_URL: ['SCHEMA_REGISTRY_URL'],
  SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO: ['SCHEMA_REGISTRY_USERNAME', 'SCHEMA_REGISTRY_PASSWORD'],
  ALICLOUD_ACCESS_KEY: ['ALIBABA_CLOUD_ACCESS_KEY_ID'],
  ALICLOUD_SECRET_KEY: ['ALIBABA_CLOUD_ACCESS_KEY_SECRET'],
  ALIYUN_ACCESS_KEY_ID: ['ALIBABA_CLOUD_ACCESS_KEY_ID'],
  ALIYUN_ACCESS_KEY_SECRET: ['ALIBABA_CLOUD_ACCESS_KEY_SECRET'],
  REDIS_URI: ['REDIS_URL'],
  REDIS_HOST: ['REDIS_URL'],
  LOGLEVEL: ['LOG_LEVEL'],
  LOGGING_LEVEL: ['LOG_LEVEL'],
  OPSPORT: ['OPS_PORT'],
  METRICS_PORT: ['OPS_PORT'],
}

const SETTING_OF: ReadonlyMap<string, SettingName> = new Map(
  SETTING_NAMES.flatMap((name) => {
    const variant = fileVariant(name)
    return variant === null
      ? [[name, name] as const]
      : ([
          [name, name],
          [variant, name],
        ] as const)
  }),
)
const KNOWN = [...SETTING_OF.keys()]

/** Not settings, but not misspelled either: the folder for downloads of `npm run demo`, and the commit of an image. */
const BESIDE_SETTINGS: ReadonlySet<string> = new Set(['CHECKRESULT_CACHE_DIR', 'CHECKRESULT_REVISION'])

/** A near miss differs in at most this many characters. */
const MAX_NEAR_MISS = 2
const MAX_LENGTH = 100

/** Renamed and misspelled settings; only those that stand for a setting in scope. */
export function nameErrors(variables: readonly string[], isInScope: IsInScope): string[] {
  return variables.map((variable) => errorOf(variable, isInScope)).filter((error) => error !== null)
}

function errorOf(variable: string, isInScope: IsInScope): string | null {
  if (SETTING_OF.has(variable) || BESIDE_SETTINGS.has(variable) || Object.hasOwn(OF_OTHER_TOOLS, variable)) {
    return null
  }
  if (variable.length > MAX_LENGTH || SERVICE_LINK.test(variable)) return null
  const base = variable.replace(/_FILE$/, '')
  const renamed = Object.hasOwn(RENAMED, base) ? RENAMED[base] : undefined
  if (renamed !== undefined) return isInScope(renamed) ? renamedError(variable, renamed) : null
  const noFile = SETTING_OF.get(base)
  if (noFile !== undefined) return isInScope(noFile) ? noFileError(variable, noFile) : null
  return misspelledError(variable, isInScope)
}

function misspelledError(variable: string, isInScope: IsInScope): string | null {
  const closest = closestMatch(variable, KNOWN) ?? ''
  const differences = leven(variable, closest)
  const isOurs = OURS.test(variable)
  if (!isOurs && !(SHARED.test(variable) && differences <= MAX_NEAR_MISS)) return null
  const meant = differences <= maxDifferences(variable) ? closest : extended(variable)
  const setting = SETTING_OF.get(meant ?? closest)
  if (setting === undefined || !isInScope(setting)) return null
  return `${shownName(variable)} is not a setting of checkresult-stream. ${meant === undefined ? 'Remove it, or see docs/settings.md for all settings.' : `Did you mean ${meant}?`}`
}

/** The prefix does not count, because most settings share it. */
function maxDifferences(variable: string): number {
  return Math.max(MAX_NEAR_MISS, variable.replace(OURS, '').length / 3)
}

/** The setting that has a prefix more than the variable, or else the one that has a suffix less. */
function extended(variable: string): string | undefined {
  return (
    KNOWN.find((name) => name.endsWith(`_${variable}`)) ??
    KNOWN.find((name) => variable.startsWith(`${name}_`))
  )
}

function noFileError(variable: string, name: SettingName): string {
  return `${variable} is not a setting of checkresult-stream, because ${name} cannot be read from a file. Did you mean ${name}?`
}

function renamedError(variable: string, name: SettingName): string {
  const { example, expected } = aboutSetting(name)
  return `${variable} was renamed: set ${name} instead. Expected ${expected}, for example ${name}=${example}.`
}

/** Names of other programs, if the setting itself is not set. */
export function nameWarnings(
  env: Readonly<Record<string, string | undefined>>,
  isInScope: IsInScope,
): string[] {
  return Object.entries(OF_OTHER_TOOLS).flatMap(([variable, names]) => {
    if (!isSet(env, variable) || !isInScope(names[0])) return []
    const unset = names.filter((name) => !isSet(env, name) && !isSet(env, fileVariant(name) ?? name))
    return unset.length === 0
      ? []
      : [`${variable} is set, but checkresult-stream does not read it. Did you mean ${unset.join(' and ')}?`]
  })
}

function isSet(env: Readonly<Record<string, string | undefined>>, variable: string): boolean {
  return Object.hasOwn(env, variable) && env[variable] !== undefined && env[variable] !== ''
}

function shownName(variable: string): string {
  return /^\w+$/.test(variable) ? variable : JSON.stringify(variable)
}
