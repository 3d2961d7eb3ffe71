/** A separate set of topics and settings on a running stack, so that several can share one stack. */
import { randomBytes } from 'node:crypto'
import { mustSucceed, type Env } from './commands.ts'

export interface StackAddresses {
  readonly brokers: readonly string[]
  readonly registryUrl: string
}

export interface Environment {
  readonly env: Env
  readonly topics: {
    readonly input: string
    readonly result: string
    readonly deadLetter: string
    readonly retryPrefix: string
  }
  readonly groupId: string
}

export interface EnvironmentOptions extends StackAddresses {
  readonly endpoint: string
  /** Settings that add to or replace the default ones. */
  readonly settings?: Env
}

/** Uses the default names if the stack is not shared, otherwise unique names. */
export function createEnvironment(options: EnvironmentOptions, { shared }: { shared: boolean }): Environment {
  const suffix = shared ? `.${randomBytes(4).toString('hex')}` : ''
  const topics = {
    input: `verification.completed${suffix}`,
    result: `verification.result${suffix}`,
    deadLetter: `verification.dead-letter${suffix}`,
    retryPrefix: `verification.completed.retry${suffix}`,
  }
  const groupId = `checkresult-stream${suffix}`
  const env = {
    KAFKA_BROKERS: options.brokers.join(','),
    KAFKA_GROUP_ID: groupId,
    KAFKA_INPUT_TOPIC: topics.input,
    KAFKA_RESULT_TOPIC: topics.result,
    KAFKA_DEAD_LETTER_TOPIC: topics.deadLetter,
    KAFKA_RETRY_TOPIC_PREFIX: topics.retryPrefix,
    SCHEMA_REGISTRY_URL: options.registryUrl,
    CHECKRESULT_ENDPOINT: options.endpoint,
    ALIBABA_CLOUD_ACCESS_KEY_ID: 'simulator',
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'simulator-secret',
    OPS_HOST: '127.0.0.1',
    OPS_PORT: '0',
    ...options.settings,
  }
  return { env, topics, groupId }
}

/**
 * Creates topics and registers schemas in parallel, with the commands a user would run. Rejects with their output if
 * they fail.
 */
export async function prepareEnvironment(
  { env }: Environment,
  partitions = 8,
  replicationFactor = 1,
): Promise<void> {
  const width = ['--partitions', String(partitions), '--replication-factor', String(replicationFactor)]
  await Promise.all([
    mustSucceed(['topics', 'create', ...width], env),
    mustSucceed(['schemas', 'register'], env),
  ])
}
