/** What the parts of the service and the commands need of the settings. */
import type { KafkaSettings } from './adapters/kafka/client.ts'
import type { TopicNames } from './adapters/kafka/topics.ts'
import type { RegistrySettings } from './adapters/registry/direct.ts'
import { renewedSecret } from './adapters/renewed-secret.ts'
import type { Config } from './config.ts'
import type { Log } from './ports.ts'

export function topicNames({ topics, defer }: Pick<Config, 'topics' | 'defer'>): TopicNames {
  return { ...topics, retry: defer.retryTopics.map(({ topic }) => topic) }
}

export function kafkaSettings({ kafka }: Pick<Config, 'kafka'>): KafkaSettings {
  // A member that waits longer for the answer to a heartbeat has been given up meanwhile.
  return { ...kafka, requestTimeoutMs: kafka.sessionTimeoutMs }
}

export function registrySettings({ registry }: Pick<Config, 'registry'>, log: Log): RegistrySettings {
  const { url, clientId, auth } = registry
  return { url, clientId, auth: auth === null ? null : registryLogin(auth, log) }
}

/** Read at each request: the password may have been changed. */
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
