import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { runCommand, type Env } from '../../dev/harness/commands.ts'
import { createEnvironment } from '../../dev/harness/environment.ts'
import { eventFor } from '../../dev/harness/events.ts'
import { createAuthority, issue } from '../support/certificates.ts'
import { EXACTLY_ONCE } from '../support/outputs.ts'
import { startRun, type Run } from '../support/run.ts'
import { startSecuredKafka, type SecuredKafka } from '../support/secured-kafka.ts'
import { CLIENT } from '../support/token-endpoint.ts'

const USER = 'checkresult'
const PASSWORD = 'open-sesame-9f2c'
/** kafkajs logs in again ten seconds before a session ends: here half a second after each login. */
const SESSION_MS = 10_500

const TOPICS = ['topics', 'create', '--partitions', '2', '--replication-factor', '1']

let kafka: SecuredKafka

beforeAll(async () => {
  kafka = await startSecuredKafka({
    plain: { [USER]: PASSWORD },
    scram: { [USER]: PASSWORD },
    properties: { 'connections.max.reauth.ms': String(SESSION_MS) },
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

describe('topics are created, and events go through exactly once, with', () => {
  test.each(Object.keys(LOGINS))('%s', async (name) => {
    const run = await start(await LOGINS[name]?.())
    const service = await run.startReplica()
    const sent = await sendSome(run)
    await run.untilOut(sent)
    expect(await service.stop()).toBe(0)
    expect(await run.tally(sent)).toEqual(EXACTLY_ONCE)
    expect(service.output()).not.toContain('"level":"error"')
  })
})

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

async function withClient(secret: string): Promise<Env> {
  return {
    ...kafka.settings,
    KAFKA_SASL_MECHANISM: 'oauthbearer',
    KAFKA_SASL_OAUTH_TOKEN_URL: kafka.tokens.url,
    KAFKA_SASL_OAUTH_CLIENT_ID: CLIENT.id,
    KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE: await kafka.file('client-secret', secret),
  }
}

/** Topics and schemas made with the settings under test, by the commands. */
async function start(settings: Env = {}): Promise<Run> {
  const run = await startRun({ brokers: [kafka.internal], partitions: 2, settings })
  onTestFinished(run.close)
  return run
}

const KINDS = ['passhkid2018', 'failpassport', 'notyet', 'invalidid'] as const

async function sendSome(run: Run): ReturnType<Run['send']> {
  return run.send(
    Array.from({ length: 20 }, (_, number) => {
      const event = eventFor({ name: KINDS[number % KINDS.length] ?? '', docType: null }, number)
      return { key: event.transactionId, value: run.encode(event) }
    }),
  )
}
