/**
 * How the service logs in to the brokers: with a password, with a token from a file, or with a token from a token endpoint. Says
 * which settings belong together, and what is wrong if they are mixed or incomplete.
 */
import { onlySomeSet } from './errors.ts'
import type { Secret } from './secret.ts'
import type { SettingName, Values } from './settings.ts'

export type LoginConfig =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: Secret
    }
  | { readonly mechanism: 'oauthbearer'; readonly token: TokenConfig }

export type TokenConfig =
  | { readonly kind: 'file'; readonly token: Secret }
  | {
      readonly kind: 'client-credentials'
      readonly url: string
      readonly clientId: string
      readonly clientSecret: Secret
      readonly scope: string | null
    }

const MECHANISM = 'KAFKA_SASL_MECHANISM'
const PASSWORD = ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'] as const
const TOKEN_FILE = 'KAFKA_SASL_OAUTH_TOKEN_FILE'
const GRANT = [
  'KAFKA_SASL_OAUTH_TOKEN_URL',
  'KAFKA_SASL_OAUTH_CLIENT_ID',
  'KAFKA_SASL_OAUTH_CLIENT_SECRET',
] as const
const FOR_GRANT = [...GRANT, 'KAFKA_SASL_OAUTH_SCOPE'] as const
const TOKEN = [TOKEN_FILE, ...FOR_GRANT] as const

type IsSet = (name: SettingName) => boolean

/** An invalid value counts as set. Returns at most one message. */
export function loginErrors(values: Partial<Values>, invalid: IsSet): string[] {
  if (invalid(MECHANISM)) return []
  const isSet: IsSet = (name) => values[name] !== undefined || invalid(name)
  const error = loginError(values.KAFKA_SASL_MECHANISM, isSet)
  return error === null ? [] : [error]
}

function loginError(mechanism: Values['KAFKA_SASL_MECHANISM'], isSet: IsSet): string | null {
  if (mechanism === 'oauthbearer') return tokenError(isSet)
  const foreign = TOKEN.filter(isSet)
  if (foreign.length > 0) {
    const found = mechanism === undefined ? 'is not set' : `is ${mechanism}`
    return `${listed(foreign)} set, but ${MECHANISM} ${found}. Expected ${MECHANISM}=oauthbearer for a login with a token.`
  }
  const all = [MECHANISM, ...PASSWORD] as const
  return incomplete(all, (name) => (name === MECHANISM ? mechanism !== undefined : isSet(name)))
}

function tokenError(isSet: IsSet): string | null {
  const foreign = PASSWORD.filter(isSet)
  if (foreign.length > 0) {
    return `${listed(foreign)} set, but ${MECHANISM} is oauthbearer. Expected ${MECHANISM}=scram-sha-512, scram-sha-256 or plain for a login with a password.`
  }
  const forGrant = FOR_GRANT.filter(isSet)
  if (isSet(TOKEN_FILE)) {
    return forGrant.length === 0
      ? null
      : `${TOKEN_FILE} and ${listed(forGrant)} set. Expected only one source of the token, a file or a token endpoint.`
  }
  if (forGrant.length === 0) {
    return `${MECHANISM} is oauthbearer, but there is no token. Expected ${TOKEN_FILE}, or ${GRANT.join(' and ')}.`
  }
  return incomplete(GRANT, isSet)
}

function incomplete(names: readonly SettingName[], isSet: IsSet): string | null {
  const set = names.filter(isSet)
  const unset = names.filter((name) => !isSet(name))
  if (unset.length === 0 || unset.length === names.length) return null
  return onlySomeSet(set, unset)
}

function listed(names: readonly SettingName[]): string {
  return `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'}`
}

/** Null without a login. Call it only if {@link loginErrors} reports nothing. */
export function chooseLogin(values: Values): LoginConfig | null {
  const { KAFKA_SASL_MECHANISM: mechanism } = values
  if (mechanism === 'oauthbearer') {
    const token = chooseToken(values)
    return token === null ? null : { mechanism, token }
  }
  const { KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = values
  return mechanism === undefined || username === undefined || password === undefined
    ? null
    : { mechanism, username, password }
}

function chooseToken(values: Values): TokenConfig | null {
  const token = values.KAFKA_SASL_OAUTH_TOKEN_FILE
  if (token !== undefined) return { kind: 'file', token }
  const {
    KAFKA_SASL_OAUTH_TOKEN_URL: url,
    KAFKA_SASL_OAUTH_CLIENT_ID: clientId,
    KAFKA_SASL_OAUTH_CLIENT_SECRET: clientSecret,
    KAFKA_SASL_OAUTH_SCOPE: scope = null,
  } = values
  return url === undefined || clientId === undefined || clientSecret === undefined
    ? null
    : { kind: 'client-credentials', url, clientId, clientSecret, scope }
}
