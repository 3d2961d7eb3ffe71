/**
 * Logins at the brokers, as kafkajs mechanisms. For passwords this wraps kafkajs's own mechanisms: the password is
 * read at each login, because it may have changed; a connection that breaks during a login does not count as a
 * rejected login, which would stop the consumer permanently; and a rejection after an earlier success is retried
 * for a while. OAUTHBEARER is implemented here, because kafkajs's own version takes a rejection for a success.
 */
import kafkajs, { type AuthenticationProviderArgs, type Authenticator, type Mechanism } from 'kafkajs'
import type { LoginConfig } from '../../../config/login.ts'
import { OperatorError } from '../../../core/safe-error.ts'
import type { Log } from '../../../ports.ts'
import { renewedSecret } from '../../renewed-secret.ts'
import { explain } from '../errors.ts'
import { PASSWORD_LOGINS } from '../kafkajs/internals.ts'
import { createTokenProvider, type TokenProvider } from './token.ts'

type Login = (args: AuthenticationProviderArgs) => Authenticator

type LoginLog = Pick<Log, 'warn' | 'debug'>

export function createLogin(config: LoginConfig, log: LoginLog): Mechanism {
  return {
    mechanism: config.mechanism.toUpperCase(),
    authenticationProvider: withRetries(loginOf(config, log), log),
  }
}

function loginOf(config: LoginConfig, log: LoginLog): Login {
  if (config.mechanism === 'oauthbearer') {
    const token = createTokenProvider(config.token, log)
    return (args) => bearer(args, token)
  }
  const { mechanism, username } = config
  const password = renewedSecret(config.password, 'KAFKA_SASL_PASSWORD', log)
  return (args) =>
    distinguishBrokenConnections(args, PASSWORD_LOGINS[mechanism]({ username, password: password() }))
}

/**
 * Before the first success a rejection is final, so that a wrong setting shows at startup. Afterwards the secret
 * may be in the middle of a change, so kafkajs retries for some seconds, as it does for an unreachable broker.
 */
function withRetries(login: Login, log: LoginLog): Login {
  let hasSucceeded = false
  return (args) => ({
    authenticate: async () => {
      try {
        await login(args).authenticate()
        hasSucceeded = true
        log.debug?.('Logged in to a broker.', { address: `${args.host}:${args.port}` })
      } catch (error) {
        log.debug?.('A login to a broker failed.', {
          address: `${args.host}:${args.port}`,
          detail: explain(error),
        })
        if (!hasSucceeded || isBreak(error)) throw error
        const retriable = new kafkajs.KafkaJSConnectionError('The brokers reject the login.')
        throw Object.assign(retriable, { cause: new OperatorError(explain(error)) })
      }
    },
  })
}

/** kafkajs reports any error during a login as "authentication failed". */
function distinguishBrokenConnections(args: AuthenticationProviderArgs, login: Login): Authenticator {
  let failure: unknown
  const { authenticate } = login({
    ...args,
    saslAuthenticate: async (exchange) => {
      try {
        return await args.saslAuthenticate(exchange)
      } catch (error) {
        failure = error
        throw error
      }
    },
  })
  return {
    authenticate: async () => {
      try {
        await authenticate()
      } catch (error) {
        throw isBreak(failure) ? failure : error
      }
    },
  }
}

function isBreak(failure: unknown): boolean {
  return failure instanceof Error && /^KafkaJS(Connection|RequestTimeout)/.test(failure.name)
}

const SEPARATOR = '\u0001'
const LENGTH_BYTES = 4

/** RFC 7628: a rejection arrives as a challenge, and the broker sends its error only after an answer to it. */
function bearer({ saslAuthenticate }: AuthenticationProviderArgs, token: TokenProvider): Authenticator {
  const exchange = (text: string): Promise<Buffer | void> =>
    saslAuthenticate<Buffer>({
      request: { encode: () => withLength(text) },
      response: { decode: (raw) => raw, parse: (raw) => raw },
    })
  return {
    authenticate: async () => {
      const challenge = await exchange(`n,,${SEPARATOR}auth=Bearer ${await token()}${SEPARATOR}${SEPARATOR}`)
      if (challenge !== undefined && challenge.length > LENGTH_BYTES) await exchange(SEPARATOR)
    },
  }
}

function withLength(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
