import { expect } from 'vitest'
import { loadConfig, type Config } from '../../../src/config.ts'
import type { FileText } from '../../../src/config/environment.ts'

export const SECRET = 'correct-horse-battery-staple'

/** The smallest valid environment. */
export const COMPLETE = {
  KAFKA_BROKERS: 'kafka-1.example:9092, kafka-2.example:9093',
  SCHEMA_REGISTRY_URL: 'http://registry.example:8081/apis/ccompat/v7/',
  ALIBABA_CLOUD_ACCESS_KEY_ID: 'fictitious-key-id',
  ALIBABA_CLOUD_ACCESS_KEY_SECRET: SECRET,
}

/** Kafka logins that are complete. */
export const PLAIN = { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'me', KAFKA_SASL_PASSWORD: SECRET }
export const GRANT = {
  KAFKA_SASL_MECHANISM: 'oauthbearer',
  KAFKA_SASL_OAUTH_TOKEN_URL: 'https://login.example/token',
  KAFKA_SASL_OAUTH_CLIENT_ID: 'me',
  KAFKA_SASL_OAUTH_CLIENT_SECRET: SECRET,
}

export type Env = Record<string, string | undefined>

/** Reads only these files. */
export function files(contents: Record<string, string>): (path: string) => FileText {
  return (path) => {
    const text = contents[path]
    return text === undefined ? { kind: 'unreadable', problem: 'it is not there' } : { kind: 'text', text }
  }
}

export function configOf(env: Env, contents: Record<string, string> = {}): Config {
  const loaded = loadConfig({ ...COMPLETE, ...env }, files(contents))
  if (loaded.kind === 'errors') throw new Error(loaded.errors.join('\n'))
  return loaded.config
}

export function errorsOf(env: Env, contents: Record<string, string> = {}): readonly string[] {
  const loaded = loadConfig({ ...COMPLETE, ...env }, files(contents))
  return loaded.kind === 'errors' ? loaded.errors : []
}

/** The only error of an otherwise valid environment. */
export function errorOf(env: Env, contents: Record<string, string> = {}): string {
  const errors = errorsOf(env, contents)
  expect(errors).toHaveLength(1)
  return errors[0] ?? ''
}

export function warningsOf(env: Env, contents: Record<string, string> = {}): readonly string[] {
  return loadConfig({ ...COMPLETE, ...env }, files(contents)).warnings
}
