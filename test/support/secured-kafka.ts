/**
 * A broker that authenticates clients over TLS by password, token or certificate. The test itself uses INTERNAL,
 * which needs no authentication. Everything that clients need is in files, as in production.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Env } from '../../dev/harness/commands.ts'
import { findJava, QUICK_START } from '../../dev/stack/java.ts'
import { startKafka, type RunningKafka } from '../../dev/stack/kafka.ts'
import { providePrograms } from '../../dev/stack/programs.ts'
import { onFreePorts } from '../../dev/stack/stack.ts'
import { createAuthority, issue, type KeyPair } from './certificates.ts'
import { startTokenEndpoint, type TokenEndpoint } from './token-endpoint.ts'

/** By user name. */
export type Passwords = Readonly<Record<string, string>>

export interface SecuredKafkaOptions {
  readonly plain?: Passwords
  readonly scram?: Passwords
  readonly properties?: Readonly<Record<string, string>>
}

export interface SecuredKafka extends RunningKafka {
  readonly authority: KeyPair
  readonly tokens: TokenEndpoint
  /** Writes a file for one client only and returns its path. */
  file(name: string, text: string): Promise<string>
  /** Settings for the listener with passwords and tokens, without the credentials. */
  readonly settings: Env
  /** Settings for the listener with client certificates. */
  certificateSettings(pair: KeyPair): Promise<Env>
  /** The passwords that PLAIN accepts after the next start of the broker. */
  changePasswords(plain: Passwords): Promise<void>
  readonly stop: () => Promise<void>
}

const PLAIN_LOGIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required'
const SCRAM_LOGIN = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
const TOKEN_LOGIN = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;'

/** Must be stopped by the last hook of the file. */
export async function startSecuredKafka(options: SecuredKafkaOptions = {}): Promise<SecuredKafka> {
  const { plain = {}, scram = {} } = options
  const java = await findJava()
  const { kafkaDir } = await providePrograms(() => {})
  const directory = await mkdtemp(join(tmpdir(), 'checkresult-stream-'))
  const file = async (name: string, text: string): Promise<string> => {
    const path = join(await mkdtemp(join(directory, 'file-')), name)
    await writeFile(path, text)
    return path
  }
  const authority = await createAuthority()
  const tokens = await startTokenEndpoint()
  const keys = `file://${await file('keys.json', tokens.publicKeys)}`
  const server = await issue(authority, { name: 'broker' })
  const properties = (passwords: Passwords): Record<string, string> => ({
    ...tlsProperties(authority, server),
    ...loginProperties(passwords, keys),
    ...options.properties,
  })
  const kafka = await onFreePorts((attempt) =>
    startKafka({
      java,
      jarsDir: kafkaDir,
      directory: join(directory, `kafka-${attempt}`),
      scratchDir: directory,
      listeners: ['CERTIFICATE'],
      properties: properties(plain),
      formatOptions: Object.entries(scram).flatMap(([name, password]) =>
        ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
          '--add-scram',
          `${mechanism}=[name=${name},password=${password}]`,
        ]),
      ),
      javaOptions: [...QUICK_START, `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${keys}`],
      onCrash: (message) => {
        throw new Error(message)
      },
    }),
  )
  const trust = { KAFKA_TLS: 'true', KAFKA_TLS_CA_FILE: await file('ca.crt', authority.cert) }
  return {
    ...kafka,
    authority,
    tokens,
    file,
    settings: { ...trust, KAFKA_BROKERS: kafka.broker },
    certificateSettings: async ({ cert, key }) => ({
      ...trust,
      KAFKA_BROKERS: kafka.others.get('CERTIFICATE') ?? '',
      KAFKA_TLS_CERT_FILE: await file('client.crt', cert),
      KAFKA_TLS_KEY_FILE: await file('client.key', key),
    }),
    changePasswords: (passwords) => kafka.configure(properties(passwords)),
    stop: async () => {
      await Promise.all([kafka.stop(), tokens.close()])
      await rm(directory, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** A property must be on one line. Kafka accepts blanks instead of line ends in PEM. */
function oneLine(pem: string): string {
  return pem.trim().replaceAll(/\r?\n/g, ' ')
}

function tlsProperties(authority: KeyPair, server: KeyPair): Record<string, string> {
  return {
    'listener.security.protocol.map':
      'CLIENT:SASL_SSL,CERTIFICATE:SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.certificate.chain': oneLine(server.cert),
    'ssl.keystore.key': oneLine(server.key),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.certificates': oneLine(authority.cert),
    'listener.name.certificate.ssl.client.auth': 'required',
    'listener.name.certificate.ssl.principal.mapping.rules': 'RULE:^CN=([^,]+).*$/$1/',
  }
}

function loginProperties(plain: Passwords, keys: string): Record<string, string> {
  const users = Object.entries(plain).map(([name, password]) => ` user_${name}="${password}"`)
  return {
    'listener.name.client.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    'listener.name.client.plain.sasl.jaas.config': `${PLAIN_LOGIN}${users.join('')};`,
    'listener.name.client.scram-sha-256.sasl.jaas.config': SCRAM_LOGIN,
    'listener.name.client.scram-sha-512.sasl.jaas.config': SCRAM_LOGIN,
    'listener.name.client.oauthbearer.sasl.jaas.config': TOKEN_LOGIN,
    'listener.name.client.oauthbearer.sasl.server.callback.handler.class':
      'org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler',
    'sasl.oauthbearer.jwks.endpoint.url': keys,
    'sasl.oauthbearer.expected.audience': 'kafka',
  }
}
