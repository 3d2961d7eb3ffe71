/** Warns about passwords and tokens that are sent over connections without TLS. Loopback addresses need none. */
import type { SettingName, Values } from './settings.ts'
import { isLoopback } from './values.ts'

/** `isUnknown` holds for settings that are invalid or not in scope. */
export function connectionWarnings(
  values: Partial<Values>,
  isUnknown: (name: SettingName) => boolean,
): string[] {
  const read = Object.fromEntries(Object.entries(values).filter(([name]) => !isUnknown(name as SettingName)))
  return [kafkaWarning, registryWarning, redisWarning].flatMap((warn) => warn(read) ?? [])
}

/** SCRAM is left out, because it does not send the password. */
function kafkaWarning(values: Partial<Values>): string | null {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_TLS: tls, KAFKA_BROKERS: brokers = [] } = values
  const isLocal = brokers.every((broker) => isLoopback(`http://${broker}`))
  if (tls !== false || isLocal || (mechanism !== 'plain' && mechanism !== 'oauthbearer')) return null
  const secret = mechanism === 'plain' ? 'password' : 'token'
  return `KAFKA_SASL_MECHANISM is ${mechanism}, but KAFKA_TLS is false, so the ${secret} is sent unencrypted. Set KAFKA_TLS=true.`
}

function registryWarning(values: Partial<Values>): string | null {
  const { SCHEMA_REGISTRY_PASSWORD: password, SCHEMA_REGISTRY_URL: url } = values
  if (password === undefined || url?.startsWith('http:') !== true || isLoopback(url)) return null
  return 'SCHEMA_REGISTRY_PASSWORD is set, but SCHEMA_REGISTRY_URL does not use TLS, so the password is sent unencrypted. Use an https:// URL.'
}

function redisWarning({ REDIS_URL: secret }: Partial<Values>): string | null {
  const url = secret === undefined ? null : URL.parse(secret.reveal())
  if (url?.protocol !== 'redis:' || url.password === '' || isLoopback(url.href)) return null
  return 'REDIS_URL contains a password, but does not use TLS, so the password is sent unencrypted. Use a rediss:// URL.'
}
