/** Derives the settings of each part of the service and of the commands. */
import type { KafkaSettings } from '../adapters/kafka/client.ts'
import type { TopicNames } from '../adapters/kafka/admin/topics.ts'
import type { RegistrySettings } from '../adapters/registry/direct.ts'
import { renewedSecret } from '../adapters/renewed-secret.ts'
import type { Config } from '../config.ts'
import type { Log } from '../ports.ts'

export function topicNames({ topics, defer }: Pick<Config, 'topics' | 'defer'>): TopicNames {
  return { ...topics, retry: defer.retryTopics.map(({ topic }) => topic) }
}

/** Commands have no session, and an operator waits for them. */
const COMMAND_REQUEST_TIMEOUT_MS = 10_000

export function kafkaSettings({
  kafka,
  consumer,
}: Pick<Config, 'kafka'> & Partial<Pick<Config, 'consumer'>>): KafkaSettings {
  // If a heartbeat takes longer than the session timeout, the group has already removed the member.
  return { ...kafka, requestTimeoutMs: consumer?.sessionTimeoutMs ?? COMMAND_REQUEST_TIMEOUT_MS }
}

export function registrySettings({ registry }: Pick<Config, 'registry'>, log: Log): RegistrySettings {
  const { url, clientId, auth } = registry
  return { url, clientId, auth: auth === null ? null : registryLogin(auth, log) }
}

/** The password is read at each request, because it may have changed. */
function registryLogin(
  { username, password }: NonNullable<Config['registry']['auth']>,
  log: Log,
): { readonly username: string; readonly password: string } {
  const current = renewedSecret(password, 'SCHEMA_REGISTRY_PASSWORD', log)
  return {
    username,
    get password() {
      return current()
    },
  }
}
