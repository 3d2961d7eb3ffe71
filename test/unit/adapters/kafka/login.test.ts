import kafkajs, { type AuthenticationProviderArgs, type SaslAuthenticateArgs } from 'kafkajs'
import { beforeEach, describe, expect, test } from 'vitest'
import { createLogin } from '../../../../src/adapters/kafka/login.ts'
import type { LoginConfig } from '../../../../src/config/login.ts'
import { Secret } from '../../../../src/config/secret.ts'

const PASSWORD: LoginConfig = { mechanism: 'plain', username: 'tester', password: new Secret('sesame') }
const TOKEN: LoginConfig = {
  mechanism: 'oauthbearer',
  token: { kind: 'file', token: new Secret('a.b.c') },
}
const LENGTH_BYTES = 4

/** What the broker does with each message: answers it, or throws. */
let broker: (message: string) => Buffer
let received: string[]
let nowMs: number

beforeEach(() => {
  broker = () => withLength('')
  received = []
  nowMs = 0
})

async function saslAuthenticate({ request, response }: SaslAuthenticateArgs<unknown>): Promise<unknown> {
  const message = (await request.encode()).subarray(LENGTH_BYTES).toString()
  received.push(message)
  return response?.parse(await response.decode(broker(message)))
}

function connection(config: LoginConfig): () => Promise<void> {
  const { authenticationProvider } = createLogin(config, { warn: () => {} }, () => nowMs)
  const logger = { debug: () => {}, error: () => {} }
  const args = { host: 'broker', port: 9092, logger, saslAuthenticate }
  return () => authenticationProvider(args as unknown as AuthenticationProviderArgs).authenticate()
}

describe('a login with a password', () => {
  test('sends user and password', async () => {
    await connection(PASSWORD)()
    expect(received).toEqual(['\0tester\0sesame'])
  })

  test('that is refused is final, for whoever starts the service is to know', async () => {
    broker = refuse
    await expect(connection(PASSWORD)()).rejects.toMatchObject({ retriable: false })
  })

  test('that is refused after one has succeeded is tried again, for two minutes', async () => {
    const login = connection(PASSWORD)
    await login()
    broker = refuse
    nowMs = 1_000
    await expect(login()).rejects.toMatchObject({
      retriable: true,
      message: expect.stringContaining('The brokers refuse the login'),
    })
    nowMs = 120_999
    await expect(login()).rejects.toMatchObject({ retriable: true })
    nowMs = 121_000
    await expect(login()).rejects.toMatchObject({ retriable: false })
  })

  test('that succeeds again begins the two minutes anew', async () => {
    const login = connection(PASSWORD)
    for (const at of [0, 200_000]) {
      nowMs = at
      broker = () => withLength('')
      await login()
      broker = refuse
      await expect(login()).rejects.toMatchObject({ retriable: true })
    }
  })

  test('during which the connection breaks is no refused login', async () => {
    broker = () => {
      throw new kafkajs.KafkaJSConnectionError('Closed connection')
    }
    await expect(connection(PASSWORD)()).rejects.toMatchObject({
      name: 'KafkaJSConnectionError',
      retriable: true,
    })
  })
})

describe('a login with a token', () => {
  test('sends the token', async () => {
    await connection(TOKEN)()
    expect(received).toEqual(['n,,\u0001auth=Bearer a.b.c\u0001\u0001'])
  })

  test('answers the challenge that stands for a refusal, and so gets the error', async () => {
    broker = (message) => (message === '\u0001' ? refuse() : withLength('{"status":"invalid_token"}'))
    await expect(connection(TOKEN)()).rejects.toMatchObject({ type: 'SASL_AUTHENTICATION_FAILED' })
    expect(received).toHaveLength(2)
  })
})

function refuse(): never {
  const type = 'SASL_AUTHENTICATION_FAILED'
  const refusal = Object.assign(new Error('refused'), { type, code: 58, retriable: false })
  throw new kafkajs.KafkaJSProtocolError(refusal)
}

function withLength(text: string): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeInt32BE(text.length)
  return Buffer.concat([length, Buffer.from(text)])
}
