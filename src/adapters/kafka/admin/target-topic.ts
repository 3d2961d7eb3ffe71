/** Adds a topic to a cluster's metadata. If it does not exist, the error names it, which neither the broker nor kafkajs does. */
import { CREATE_TOPICS, isMissingTopic } from '../errors.ts'
import type { Cluster } from '../kafkajs/internals.ts'
import { OperatorError } from '../../../core/safe-error.ts'

export async function targetTopic(
  cluster: Pick<Cluster, 'addMultipleTargetTopics'>,
  topic: string,
  setting: 'KAFKA_INPUT_TOPIC' | 'KAFKA_DEAD_LETTER_TOPIC',
): Promise<void> {
  try {
    await cluster.addMultipleTargetTopics([topic])
  } catch (error) {
    if (!isMissingTopic(error)) throw error
    throw new OperatorError(
      `Topic ${topic} does not exist. Check ${setting}, or create the topic with ${CREATE_TOPICS}.`,
    )
  }
}
