import kafkajs, { type Admin } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { createKnownTopics, inspectTopics } from '../../../../../src/adapters/kafka/admin/topics.ts'

describe('topics that were just created', () => {
  test('are awaited until the contacted broker knows them', async () => {
    const { admin, asked } = adminOf(2, 'UNKNOWN_TOPIC_OR_PARTITION')
    await createKnownTopics(admin, [{ topic: 'one' }, { topic: 'two' }])
    expect(asked).toEqual(Array.from({ length: 3 }, () => ['one', 'two']))
  })

  test('are not awaited after another error', async () => {
    const { admin, asked } = adminOf(2, 'TOPIC_AUTHORIZATION_FAILED')
    await expect(createKnownTopics(admin, [{ topic: 'one' }])).rejects.toThrow('refused')
    expect(asked).toHaveLength(1)
  })
})

const NAMES = { input: 'in', result: 'out', deadLetter: 'dead', retry: ['retry.10s', 'retry.1m'] } as const
const ALL = [NAMES.input, NAMES.result, NAMES.deadLetter, ...NAMES.retry]

describe('topic settings', () => {
  test.each<[string, Error]>([
    ['UNSUPPORTED_VERSION', protocolError('UNSUPPORTED_VERSION')],
    ['INVALID_REQUEST', protocolError('INVALID_REQUEST')],
    ['UNKNOWN', protocolError('UNKNOWN')],
    ['KafkaJSServerDoesNotSupportApiKey', named('KafkaJSServerDoesNotSupportApiKey')],
    ['ECONNRESET', Object.assign(new Error('closed'), { code: 'ECONNRESET' })],
    ['KafkaJSRequestTimeoutError', named('KafkaJSRequestTimeoutError')],
  ])('are optional: %s gives a warning and the check is skipped', async (type, error) => {
    const { partitions, notices } = await inspectTopics(settingsAdmin(error), NAMES)
    expect([...partitions.keys()]).toEqual(ALL)
    expect(notices).toEqual([
      { level: 'warn', message: expect.stringContaining(`do not support DescribeConfigs (${type})`) },
    ])
  })

  test('are optional: a missing permission gives no warning', async () => {
    const { notices } = await inspectTopics(settingsAdmin(protocolError('TOPIC_AUTHORIZATION_FAILED')), NAMES)
    expect(notices.map(({ level }) => level)).toEqual(['info'])
  })

  test('give a warning if an output topic is compacted, in any notation', async () => {
    const policies = { in: 'compact', out: 'compact', dead: 'delete, compact', 'retry.1m': 'delete' }
    const { notices } = await inspectTopics(settingsAdmin(policies), NAMES)
    expect(notices).toEqual([
      { level: 'warn', message: expect.stringMatching(/^cleanup\.policy of out, dead includes compact: /) },
    ])
  })

  test('are returned with the maximum record size of each topic', async () => {
    const { maxMessageBytes } = await inspectTopics(settingsAdmin({}, { out: 70_000 }), NAMES)
    expect(maxMessageBytes.get('out')).toBe(70_000)
    expect(maxMessageBytes.get('dead')).toBe(1_048_588 + 65_536)
  })

  test('give a warning if a copy plus our headers does not fit', async () => {
    const { notices } = await inspectTopics(settingsAdmin({}, { 'retry.1m': 1_048_588 }), NAMES)
    expect(notices).toEqual([
      { level: 'warn', message: expect.stringMatching(/^max\.message\.bytes of retry\.1m leaves no room/) },
    ])
  })

  test.each(['dead', 'out'])('fail the start if %s accepts only small records', async (topic) => {
    await expect(inspectTopics(settingsAdmin({}, { [topic]: 65_535 }), NAMES)).rejects.toThrow(
      `max.message.bytes of ${topic} is below`,
    )
  })

  test('give no warning if they are correct', async () => {
    expect((await inspectTopics(settingsAdmin({}), NAMES)).notices).toEqual([])
  })

  test('may be missing in a response', async () => {
    const admin = settingsAdmin({})
    admin.describeConfigs = () => Promise.resolve({ resources: [], throttleTime: 0 })
    expect((await inspectTopics(admin, NAMES)).notices).toEqual([])
  })
})

function named(name: string): Error {
  return Object.assign(new Error('not said'), { name })
}

function protocolError(type: string): Error {
  return new kafkajs.KafkaJSProtocolError(Object.assign(new Error('not said'), { type, code: 1 }))
}

/** All topics exist. Their settings cannot be read, or have these policies and sizes. */
function settingsAdmin(
  settings: Error | Readonly<Record<string, string>>,
  sizes: Readonly<Record<string, number>> = {},
): Admin {
  const size = (name: string): number => sizes[name] ?? (name === 'in' ? 1_048_588 : 1_048_588 + 65_536)
  const admin: Pick<Admin, 'listTopics' | 'fetchTopicMetadata' | 'describeConfigs'> = {
    listTopics: () => Promise.resolve([...ALL]),
    fetchTopicMetadata: () => Promise.resolve({ topics: ALL.map((name) => ({ name, partitions: [] })) }),
    describeConfigs: ({ resources }) => {
      if (settings instanceof Error) return Promise.reject(settings)
      return Promise.resolve({
        throttleTime: 0,
        resources: resources.map(({ name, configNames = [] }) => ({
          resourceName: name,
          resourceType: kafkajs.ConfigResourceTypes.TOPIC,
          errorCode: 0,
          errorMessage: '',
          configEntries: configNames.map((configName) => ({
            configName,
            configValue: configName === 'cleanup.policy' ? (settings[name] ?? 'delete') : String(size(name)),
            readOnly: false,
            isDefault: true,
            configSource: kafkajs.ConfigSource.DEFAULT_CONFIG,
            isSensitive: false,
            configSynonyms: [],
          })),
        })),
      })
    },
  }
  return admin as Admin
}

/** Rejects the first requests about topics. kafkajs's built-in wait uses another request, which this fake does not have. */
function adminOf(refusals: number, type: string): { admin: Admin; asked: string[][] } {
  const asked: string[][] = []
  const admin: Pick<Admin, 'createTopics' | 'fetchTopicMetadata'> = {
    createTopics: async ({ waitForLeaders }) => {
      if (waitForLeaders !== false) throw new Error('kafkajs would wait until it gives up')
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
