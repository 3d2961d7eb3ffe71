/** The dead-letter topic for the time of a command. */
import type { KafkaClient } from '../../adapters/kafka/client.ts'
import type { Config } from '../../config.ts'
import type { TopicReader } from '../../ports.ts'

/** Opened as it is now, closed whatever comes. */
export async function withDeadLetters<T>(
  config: Config,
  work: (topic: TopicReader) => Promise<T>,
): Promise<T> {
  const [{ createCluster }, { openTopicReader }] = await Promise.all([
    kafkaClient(config),
    import('../../adapters/kafka/topic-reader.ts'),
  ])
  const topic = await openTopicReader({ createCluster, topic: config.topics.deadLetter })
  try {
    return await work(topic)
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
