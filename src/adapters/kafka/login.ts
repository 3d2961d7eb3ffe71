/**
 * The login at the brokers, as mechanisms of kafkajs. Its own are used for passwords, but for two things: the password is
 * read when it is needed, for it may have changed; and a connection that breaks during a login is no refused login, which
 * would stop the consumer for good. Its OAUTHBEARER takes a refusal for a success, so that one is written here.
 */
import type { AuthenticationProviderArgs, Authenticator, Mechanism } from 'kafkajs'
import type { LoginConfig } from '../../config/login.ts'
import type { Log } from '../../ports.ts'
import { renewedSecret } from '../renewed-secret.ts'
import { PASSWORD_LOGINS } from './internals.ts'
import { createTokenSource, type TokenSource } from './token.ts'

export function createLogin(config: LoginConfig, log: Pick<Log, 'warn'>): Mechanism {
  if (config.mechanism === 'oauthbearer') {
    const token = createTokenSource(config.token, log)
    return { mechanism: 'OAUTHBEARER', authenticationProvider: (args) => bearer(args, token) }
  }
  const { mechanism, username } = config
  const password = renewedSecret(config.password, 'KAFKA_SASL_PASSWORD', log)
  return {
    mechanism: mechanism.toUpperCase(),
    authenticationProvider: (args) =>
      tellingBreaksApart(args, PASSWORD_LOGINS[mechanism]({ username, password: password() })),
  }
}

/** kafkajs makes "authentication failed" of whatever happens meanwhile. */
function tellingBreaksApart(
  args: AuthenticationProviderArgs,
  login: (args: AuthenticationProviderArgs) => Authenticator,
): Authenticator {
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

/** RFC 7628: a refusal comes as a challenge, and only the answer to that gets the broker's error. */
function bearer({ saslAuthenticate }: AuthenticationProviderArgs, token: TokenSource): Authenticator {
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
