/** The dead-letter topic for the time of a command. */
import type { KafkaClient } from '../../adapters/kafka/client.ts'
import type { Config } from '../../config.ts'
import type { DlqReader } from '../../pipeline/dead-letters.ts'

/** Opened as it is now, closed whatever comes. */
export async function withDeadLetters<T>(config: Config, work: (dlq: DlqReader) => Promise<T>): Promise<T> {
  const [{ createCluster }, { openTopicReader }, { topicNames }] = await Promise.all([
    kafkaClient(config),
    import('../../adapters/kafka/topic-reader.ts'),
    import('../../service-settings.ts'),
  ])
  const { input, retry } = topicNames(config)
  const topic = await openTopicReader({ createCluster, topic: config.topics.deadLetter })
  try {
    return await work({ topic, ownTopics: new Set([input, ...retry]) })
  } finally {
    await topic.close()
  }
}

export async function kafkaClient(config: Config): Promise<KafkaClient> {
  const [{ createKafkaClient }, { kafkaSettings }, { createLog }, { NAME, VERSION }] = await Promise.all([
    import('../../adapters/kafka/client.ts'),
    import('../../service-settings.ts'),
    import('../../adapters/pino/log.ts'),
    import('../../version.ts'),
  ])
  return createKafkaClient(
    kafkaSettings(config),
    createLog({ level: 'silent', name: NAME, version: VERSION }),
  )
}
