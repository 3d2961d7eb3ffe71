import kafkajs, { type Admin } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { createKnownTopics } from '../../../../src/adapters/kafka/topics.ts'

describe('topics that were just made', () => {
  test('are waited for until the broker that is asked has heard of them', async () => {
    const { admin, asked } = adminOf(2, 'UNKNOWN_TOPIC_OR_PARTITION')
    await createKnownTopics(admin, [{ topic: 'one' }, { topic: 'two' }])
    expect(asked).toEqual(Array.from({ length: 3 }, () => ['one', 'two']))
  })

  test('are not waited for when the answer is another', async () => {
    const { admin, asked } = adminOf(2, 'TOPIC_AUTHORIZATION_FAILED')
    await expect(createKnownTopics(admin, [{ topic: 'one' }])).rejects.toThrow('refused')
    expect(asked).toHaveLength(1)
  })
})

/** Refuses to say anything of topics the first times. kafkajs's own waiting asks in another way, which is not here. */
function adminOf(refusals: number, type: string): { admin: Admin; asked: string[][] } {
  const asked: string[][] = []
  const admin: Pick<Admin, 'createTopics' | 'fetchTopicMetadata'> = {
    createTopics: async ({ waitForLeaders }) => {
      if (waitForLeaders !== false) throw new Error('kafkajs would wait, and give up')
      return true
    },
    fetchTopicMetadata: async (options) => {
      const topics = options?.topics ?? []
      asked.push(topics)
      if (asked.length <= refusals) {
        throw new kafkajs.KafkaJSProtocolError(Object.assign(new Error('refused'), { type, code: 3 }))
      }
      return { topics: topics.map((name) => ({ name, partitions: [] })) }
    },
  }
  return { admin: admin as Admin, asked }
}
