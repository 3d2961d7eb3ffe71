import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { runCommand, type Env } from '../../dev/harness/commands.ts'
import type { Environment } from '../../dev/harness/environment.ts'
import { eventFor } from '../../dev/harness/events.ts'
import { createAuthority, issue } from '../support/certificates.ts'
import { connectTo, watchCommitted } from '../support/kafka.ts'
import { complaints } from '../support/log-lines.ts'
import { EXACTLY_ONCE, sourceOf, tally, type Coordinates } from '../support/outputs.ts'
import { newEnvironment, startRun, type Run } from '../support/run.ts'
import { startSecuredKafka, type SecuredKafka } from '../support/secured-kafka.ts'
import { CLIENT, startTokenEndpoint } from '../support/token-endpoint.ts'

const USER = 'checkresult'
const PASSWORD = 'open-sesame-9f2c'
/** kafkajs renews a session ten seconds before it ends, and brokers reject a renewal within a second of a login. */
const SESSION_MS = 12_000

const WRONG = 'another-sesame-77ab'
const CHANGED = 'a-third-sesame-c05e'
/** Passwords, and the beginnings of every token and private key. */
const SECRETS = /sesame|eyJ|PRIVATE KEY/
const STRANGE_TOKEN = 'eyJhbGciOiJSUzI1NiJ9.e30.c2VzYW1l'

const TOPICS = ['topics', 'create', '--partitions', '2', '--replication-factor', '1']

let kafka: SecuredKafka

beforeAll(async () => {
  kafka = await startSecuredKafka({
    plain: { [USER]: PASSWORD },
    scram: { [USER]: PASSWORD },
    properties: {
      'connections.max.reauth.ms': String(SESSION_MS),
      // Without this, the cluster accepts a killed broker only after its session of 9 s.
      'broker.session.timeout.ms': '3000',
      'broker.heartbeat.interval.ms': '500',
    },
  })
})

afterAll(async () => kafka.stop())

const LOGINS: Readonly<Record<string, () => Promise<Env>>> = {
  'PLAIN over TLS': () => withPassword('plain'),
  'SCRAM-SHA-256 over TLS': () => withPassword('scram-sha-256'),
  'SCRAM-SHA-512 over TLS': () => withPassword('scram-sha-512'),
  'OAUTHBEARER with a token from an endpoint': () => withClient(CLIENT.secret),
  'OAUTHBEARER with a token from a file': async () => withToken(await kafka.tokens.token()),
  'a client certificate': async () => kafka.certificateSettings(await issue(kafka.authority, { name: USER })),
}

describe.concurrent('topics are created and events are processed exactly once with', () => {
  test.for(Object.keys(LOGINS))('%s', async (name, { onTestFinished: whenFinished }) => {
    const run = await start(await LOGINS[name]?.(), whenFinished)
    const service = await run.startReplica()
    const sent = await sendSome(run)
    await run.untilOut(sent)
    const pages = await Promise.all(['/', '/metrics'].map(async (path) => fetch(service.opsUrl + path)))
    const shown = await Promise.all(pages.map(async (page) => page.text()))
    expect({ code: await service.stop(), output: service.output() }).toMatchObject({ code: 0 })
    expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
    expect(complaints(service)).toEqual([])
    expect(`${service.output()}${shown.join('')}`).not.toMatch(SECRETS)
  })
})

test.concurrent.each(Object.keys(LOGINS))('"config check" shows no secret of %s', async (name) => {
  const { env } = environment((await LOGINS[name]?.()) ?? {})
  const { code, stdout } = await runCommand(['config', 'check'], env)
  expect(code).toBe(0)
  expect(stdout).toContain('KAFKA_TLS_CA_FILE')
  expect(stdout).not.toMatch(SECRETS)
})

interface Refusal {
  readonly settings: () => Promise<Env>
  readonly message: RegExp
}

const REFUSALS: Readonly<Record<string, Refusal>> = {
  'a wrong password (PLAIN)': {
    settings: () => withPassword('plain', WRONG),
    message: /brokers reject the login: check .*KAFKA_SASL_PASSWORD.*SASL/,
  },
  'a wrong password (SCRAM)': {
    settings: () => withPassword('scram-sha-512', WRONG),
    message: /brokers reject the login: check .*KAFKA_SASL_PASSWORD.*SASL/,
  },
  'a token signed with an unknown key': {
    settings: () => withToken(STRANGE_TOKEN),
    message: /brokers reject the login: check .*the token/,
  },
  'a wrong client secret': {
    settings: () => withClient(WRONG),
    message: /token endpoint rejects the client: check .*KAFKA_SASL_OAUTH_CLIENT_SECRET/,
  },
  'a token endpoint that is down': {
    settings: async () => ({
      ...(await withClient(CLIENT.secret)),
      KAFKA_SASL_OAUTH_TOKEN_URL: 'http://127.0.0.1:1/token',
    }),
    message: /token endpoint does not answer: check KAFKA_SASL_OAUTH_TOKEN_URL/,
  },
  'brokers of another authority': {
    settings: async () => ({
      ...(await withPassword('plain')),
      KAFKA_TLS_CA_FILE: await kafka.file('other-ca.crt', (await createAuthority('Another')).cert),
    }),
    message: /TLS handshake with the brokers fails: check KAFKA_TLS and KAFKA_TLS_CA_FILE/,
  },
  'a client certificate that has expired': {
    settings: async () =>
      kafka.certificateSettings(await issue(kafka.authority, { name: USER, expired: true })),
    message:
      /brokers reject the client side of the TLS handshake: check that the certificate in KAFKA_TLS_CERT_FILE has not expired/,
  },
  'no client certificate': {
    settings: async () => {
      const { KAFKA_TLS = '', KAFKA_TLS_CA_FILE = '' } = kafka.settings
      return { KAFKA_TLS, KAFKA_TLS_CA_FILE, KAFKA_BROKERS: kafka.others.get('CERTIFICATE') ?? '' }
    },
    message:
      /brokers reject the client side of the TLS handshake: check that the certificate in KAFKA_TLS_CERT_FILE/,
  },
  'missing TLS': {
    settings: async () => ({ KAFKA_BROKERS: kafka.broker }),
    message: /No broker in KAFKA_BROKERS answers, .*\(.*\)\. Check .*KAFKA_TLS/,
  },
}

// Concurrent, because these tests mostly wait.
describe.concurrent('login sessions and errors:', () => {
  test('sessions and tokens are renewed before they expire, with a changed secret, and processing continues', async ({
    onTestFinished: whenFinished,
  }) => {
    const tokens = await startTokenEndpoint()
    whenFinished(async () => tokens.close())
    tokens.lifetimeS = 20
    const settings = await withClient(CLIENT.secret, tokens)
    const run = await start(settings, whenFinished)
    const service = await run.startReplica()
    await writeFile(settings['KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE'] ?? '', CHANGED)
    tokens.secret = CHANGED
    const before = tokens.count()
    const endMs = Date.now() + SESSION_MS + 2_000
    const sent: Coordinates[] = []
    while (Date.now() < endMs) {
      const some = await sendSome(run, sent.length)
      sent.push(...some)
      await run.untilOut(some)
    }
    expect(tokens.count() - before).toBeGreaterThanOrEqual(2)
    expect(await service.stop()).toBe(0)
    expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
    expect(complaints(service)).toEqual([])
  })

  describe('a command says in one message what to do about', () => {
    test.each(Object.entries(REFUSALS))('%s', async (_, { settings, message }) => {
      const { env } = environment(await settings())
      const { code, stdout, stderr } = await runCommand(TOPICS, env)
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(message)])
      expect(stderr).not.toMatch(SECRETS)
    })
  })
})

test('the running service uses a password that was changed at the brokers and in its file', async () => {
  const settings: Env = { ...(await withPassword('plain')), KAFKA_SESSION_TIMEOUT: '6s' }
  const run = await start(settings)
  const service = await run.startReplica()
  const first = await sendSome(run)
  await run.untilOut(first)

  // Killed, because the broker must be back before kafkajs gives up after about eight seconds.
  await kafka.server.stop('SIGKILL')
  await kafka.changePasswords({ [USER]: WRONG })
  await writeFile(settings['KAFKA_SASL_PASSWORD_FILE'] ?? '', WRONG)
  await kafka.server.start()
  const second = await sendSome(run, first.length)
  // The reader of the run may have lost its connection for longer than the service.
  const { result, deadLetter } = run.topics
  const outputs = await watchCommitted(connectTo([kafka.internal]), [result, deadLetter])
  onTestFinished(async () => outputs.close())
  const sent = [...first, ...second]
  const all = outputs.until(() => outputs.records.length >= sent.length)
  // On a slow machine the broker may be down for longer and the service ends. Then restart it, as Kubernetes would.
  const ended = service.exited.then(() => 'ended' as const)
  const replica = (await Promise.race([all, ended])) === 'ended' ? await run.startReplica() : service
  await all
  expect(await replica.stop()).toBe(0)
  const out = outputs.records.map((record) => sourceOf(record, run.topics))
  expect(tally(sent, out)).toEqual(EXACTLY_ONCE)
  expect(service.output()).not.toMatch(SECRETS)
}, 120_000)

async function withPassword(mechanism: string, password = PASSWORD): Promise<Env> {
  return {
    ...kafka.settings,
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: USER,
    KAFKA_SASL_PASSWORD_FILE: await kafka.file('password', `${password}\n`),
  }
}

async function withToken(token: string): Promise<Env> {
  return {
    ...kafka.settings,
    KAFKA_SASL_MECHANISM: 'oauthbearer',
    KAFKA_SASL_OAUTH_TOKEN_FILE: await kafka.file('token', token),
  }
}

async function withClient(secret: string, tokens = kafka.tokens): Promise<Env> {
  return {
    ...kafka.settings,
    KAFKA_SASL_MECHANISM: 'oauthbearer',
    KAFKA_SASL_OAUTH_TOKEN_URL: tokens.url,
    KAFKA_SASL_OAUTH_CLIENT_ID: CLIENT.id,
    KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE: await kafka.file('client-secret', secret),
  }
}

/** Creates topics and schemas with the commands and the settings under test. */
async function start(settings: Env = {}, whenFinished = onTestFinished): Promise<Run> {
  const run = await startRun({ brokers: [kafka.internal], partitions: 2, settings })
  whenFinished(run.close)
  return run
}

const KINDS = ['passhkid2018', 'failpassport', 'notyet', 'invalidid'] as const

async function sendSome(run: Run, from = 0): ReturnType<Run['send']> {
  return run.send(
    Array.from({ length: 20 }, (_, at) => {
      const event = eventFor({ name: KINDS[at % KINDS.length] ?? '', docType: null }, from + at)
      return { key: event.transactionId, value: run.encode(event) }
    }),
  )
}

function environment(settings: Env): Environment {
  return newEnvironment(settings, [kafka.internal])
}
