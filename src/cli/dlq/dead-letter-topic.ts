/** The dead-letter topic, open while a command runs. */
import type { KafkaClient } from '../../adapters/kafka/client.ts'
import type { Config } from '../../config.ts'
import type { DlqReader } from '../../pipeline/dead-letters/dead-letters.ts'

/** The parts that all `dlq` commands use. Without a registry Avro events cannot be read. */
export type DlqConfig = Pick<Config, 'kafka' | 'topics' | 'defer'> & Partial<Pick<Config, 'registry'>>

/** Opens the topic as it is now, and closes it in any case. */
export async function withDeadLetters<T>(
  config: DlqConfig,
  work: (dlq: DlqReader) => Promise<T>,
): Promise<T> {
  const [{ createCluster }, { openTopicReader }, { topicNames }] = await Promise.all([
    kafkaClient(config),
    import('../../adapters/kafka/fetch/topic-reader.ts'),
    import('../../app/settings.ts'),
  ])
  const { input, retry } = topicNames(config)
  const topic = await openTopicReader({ createCluster, topic: config.topics.deadLetter })
  try {
    return await work({ topic, ownTopics: new Set([input, ...retry]) })
  } finally {
    await topic.close()
  }
}

export async function kafkaClient(config: DlqConfig): Promise<KafkaClient> {
  const [{ createKafkaClient }, { kafkaSettings }, { createLog }, { NAME, VERSION }] = await Promise.all([
    import('../../adapters/kafka/client.ts'),
    import('../../app/settings.ts'),
    import('../../adapters/pino/log.ts'),
    import('../../version.ts'),
  ])
  return createKafkaClient(
    kafkaSettings(config),
    createLog({ level: 'silent', name: NAME, version: VERSION }),
  )
}
