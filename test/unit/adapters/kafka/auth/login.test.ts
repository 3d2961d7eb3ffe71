import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import kafkajs, { type AuthenticationProviderArgs, type SaslAuthenticateArgs } from 'kafkajs'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { explain } from '../../../../../src/adapters/kafka/errors.ts'
import { createLogin } from '../../../../../src/adapters/kafka/auth/login.ts'
import type { LoginConfig } from '../../../../../src/config/login.ts'
import { Secret } from '../../../../../src/config/secret.ts'

const PASSWORD: LoginConfig = { mechanism: 'plain', username: 'tester', password: new Secret('sesame') }
const TOKEN: LoginConfig = {
  mechanism: 'oauthbearer',
  token: { kind: 'file', token: new Secret('a.b.c') },
}
const LENGTH_BYTES = 4

/** The broker's reaction to each message: a response or an error. */
let broker: (message: string) => Buffer
let received: string[]

beforeEach(() => {
  broker = () => withLength('')
  received = []
})

async function saslAuthenticate({ request, response }: SaslAuthenticateArgs<unknown>): Promise<unknown> {
  const message = (await request.encode()).subarray(LENGTH_BYTES).toString()
  received.push(message)
  return response?.parse(await response.decode(broker(message)))
}

function connection(config: LoginConfig): () => Promise<void> {
  const { authenticationProvider } = createLogin(config, { warn: () => {} })
  const logger = { debug: () => {}, error: () => {} }
  const args = { host: 'broker', port: 9092, logger, saslAuthenticate }
  return () => authenticationProvider(args as unknown as AuthenticationProviderArgs).authenticate()
}

describe('a login with a password', () => {
  test('sends user name and password', async () => {
    await connection(PASSWORD)()
    expect(received).toEqual(['\0tester\0sesame'])
  })

  test('reads a password file again for each login', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'checkresult-login-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'password')
    writeFileSync(file, 'first\n')
    const login = connection({ mechanism: 'plain', username: 'tester', password: new Secret('first', file) })
    await login()
    writeFileSync(file, 'second\n')
    await login()
    expect(received).toEqual(['\0tester\0first', '\0tester\0second'])
  })

  test('a login that is rejected the first time fails for good, so that a wrong password is noticed at startup', async () => {
    broker = refuse
    await expect(connection(PASSWORD)()).rejects.toMatchObject({ retriable: false })
  })

  test('a login that is rejected after an earlier success is retried like a broken connection, with a message', async () => {
    const login = connection(PASSWORD)
    await login()
    broker = refuse
    const error = await login().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'KafkaJSConnectionError', retriable: true })
    expect(explain(error)).toMatch(/^The brokers reject the login: check/)
  })

  test('is not counted as rejected if the connection breaks', async () => {
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

  test('responds to the challenge of a rejection to receive the error', async () => {
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
