/**
 * The topics: what is there, and making what is missing. The service only looks; making is `topics create`'s. Rejects
 * with a sentence that says what to do.
 */
import { setTimeout } from 'node:timers/promises'
import kafkajs, { type Admin, type ITopicConfig, type Kafka } from 'kafkajs'
import { errorType, explain } from './errors.ts'
import { OperatorError } from '../../core/safe-error.ts'

export interface TopicPlan {
  readonly topic: string
  /** The retry topics are to be as wide as the input topic: each member works the same partitions of all. */
  readonly likeInput: boolean
  readonly configs: Readonly<Record<string, string>>
}

export type TopicOutcome =
  | { readonly kind: 'created'; readonly topic: string; readonly partitions: number }
  | { readonly kind: 'exists'; readonly topic: string; readonly partitions: number }
  | { readonly kind: 'widened'; readonly topic: string; readonly partitions: number; readonly from: number }

export interface TopicNames {
  readonly input: string
  readonly result: string
  readonly deadLetter: string
  readonly retry: readonly string[]
}

/** Retry copies and dead letters are the event and some headers: what fits the input topic has to fit theirs. */
const HEADER_ROOM_BYTES = 64 * 1024
const BROKER_DEFAULT_BYTES = 1_048_588
const DEAD_LETTER_RETENTION_MS = 30 * 24 * 3_600_000

export async function withAdmin<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin({ retry: { retries: 2 } })
  try {
    await admin.connect()
    return await work(admin)
  } catch (error) {
    throw error instanceof OperatorError ? error : new OperatorError(explain(error))
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
}

/** How many partitions each topic has. Rejects when one is missing, or is too small for what it must hold. */
export async function inspectTopics(admin: Admin, names: TopicNames): Promise<ReadonlyMap<string, number>> {
  const wanted = [names.input, names.result, names.deadLetter, ...names.retry]
  const present = new Set(await admin.listTopics())
  const missing = wanted.filter((topic) => !present.has(topic))
  if (missing.length > 0) {
    throw new OperatorError(
      `Missing topics: ${missing.join(', ')}. Create them with \`npm start -- topics create --partitions N --replication-factor N\`, or, where they exist, grant READ on the input and retry topics and WRITE on the result, retry and dead-letter topics.`,
    )
  }
  await checkSizes(admin, names)
  const { topics } = await admin.fetchTopicMetadata({ topics: wanted })
  return new Map(topics.map(({ name, partitions }) => [name, partitions.length]))
}

async function checkSizes(admin: Admin, names: TopicNames): Promise<void> {
  const copies = [names.deadLetter, ...names.retry]
  const sizes = await maxMessageBytes(admin, [names.input, ...copies])
  const needed = sizes?.get(names.input) ?? 0
  const small = copies.filter((topic) => (sizes?.get(topic) ?? Infinity) < needed)
  if (small.length > 0) {
    throw new OperatorError(
      `max.message.bytes of ${small.join(', ')} is below that of ${names.input}, ${bytes(needed)}: a large event would fit nowhere. Raise it to at least ${bytes(needed + HEADER_ROOM_BYTES)}.`,
    )
  }
}

/** A log withholds longer numbers that are not grouped. */
function bytes(count: number): string {
  return `${count.toLocaleString('en')} bytes`
}

/** Null when the user may not see the topics' settings. */
async function maxMessageBytes(admin: Admin, topics: readonly string[]): Promise<Map<string, number> | null> {
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: topics.map((name) => ({
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name,
        configNames: ['max.message.bytes'],
      })),
    })
    return new Map(
      resources.map(({ resourceName, configEntries }) => [
        resourceName,
        Number(configEntries[0]?.configValue),
      ]),
    )
  } catch (error) {
    if (errorType(error).includes('AUTHORIZATION')) return null
    throw error
  }
}

const KNOWN_WITHIN_TRIES = 50
const ASK_AGAIN_MS = 100

/**
 * Creates them and resolves once the broker that is asked knows them: a broker may not have heard yet of what its
 * controller has just made, and kafkajs, waiting for leaders, gives up on that.
 */
export async function createKnownTopics(admin: Admin, topics: readonly ITopicConfig[]): Promise<void> {
  await admin.createTopics({ waitForLeaders: false, topics: [...topics] })
  await onceKnown(() => admin.fetchTopicMetadata({ topics: topics.map(({ topic }) => topic) }))
}

async function onceKnown<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask()
    } catch (error) {
      if (errorType(error) !== 'UNKNOWN_TOPIC_OR_PARTITION' || tries === KNOWN_WITHIN_TRIES) throw error
    }
    await setTimeout(ASK_AGAIN_MS)
  }
}

export interface CreateTopicsOptions {
  readonly names: TopicNames
  readonly partitions: number
  readonly replicationFactor: number
}

/** Creates what is missing and widens retry topics that are narrower than the input topic. */
export async function createTopics(admin: Admin, options: CreateTopicsOptions): Promise<TopicOutcome[]> {
  try {
    return await createAll(admin, options)
  } catch (error) {
    throw error instanceof OperatorError ? error : new OperatorError(explain(error, 'creating topics'))
  }
}

async function createAll(admin: Admin, options: CreateTopicsOptions): Promise<TopicOutcome[]> {
  const { names } = options
  const present = new Set(await admin.listTopics())
  const outcomes: TopicOutcome[] = []
  // The input topic first: it says how wide the others are, and how large their records may be.
  const input = await createOne(
    admin,
    options,
    { topic: names.input, likeInput: false, configs: {} },
    present,
  )
  outcomes.push(input)
  const sizes = await onceKnown(() => maxMessageBytes(admin, [names.input]))
  const inputBytes = sizes?.get(names.input) ?? BROKER_DEFAULT_BYTES
  const room = { 'max.message.bytes': String(inputBytes + HEADER_ROOM_BYTES) }
  const plans: TopicPlan[] = [
    ...names.retry.map((topic) => ({ topic, likeInput: true, configs: room })),
    { topic: names.result, likeInput: false, configs: {} },
    {
      topic: names.deadLetter,
      likeInput: false,
      configs: { ...room, 'retention.ms': String(DEAD_LETTER_RETENTION_MS) },
    },
  ]
  const wide = { ...options, partitions: input.partitions }
  for (const plan of plans)
    outcomes.push(await createOne(admin, plan.likeInput ? wide : options, plan, present))
  return outcomes
}

async function createOne(
  admin: Admin,
  { partitions, replicationFactor }: CreateTopicsOptions,
  { topic, likeInput, configs }: TopicPlan,
  present: ReadonlySet<string>,
): Promise<TopicOutcome> {
  if (!present.has(topic)) {
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
    await createKnownTopics(admin, [{ topic, numPartitions: partitions, replicationFactor, configEntries }])
    return { kind: 'created', topic, partitions }
  }
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  const from = topics[0]?.partitions.length ?? 0
  if (!likeInput || from >= partitions) return { kind: 'exists', topic, partitions: from }
  await admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] })
  return { kind: 'widened', topic, partitions, from }
}
