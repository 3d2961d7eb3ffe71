/**
 * Checks and creates topics. The service only checks them; `topics create` creates missing ones. Rejects with a
 * message that says what to do.
 */
import { setTimeout } from 'node:timers/promises'
import kafkajs, { type Admin, type ITopicConfig, type Kafka } from 'kafkajs'
import { DEFAULT_MAX_MESSAGE_BYTES } from '../sinks/batches.ts'
import { CREATE_TOPICS, errorType, explain } from '../errors.ts'
import { OperatorError } from '../../../core/safe-error.ts'

export interface TopicPlan {
  readonly topic: string
  /**
   * Whether the topic needs as many partitions as the input topic, because a member owns the same partition numbers
   * of all topics.
   */
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

/**
 * Retry copies and dead letters consist of the event and additional headers, so their topics need this much more
 * than the input topic.
 */
const HEADER_ROOM_BYTES = 64 * 1024
/** Enough for a document with many fields of 1,000 characters. */
const MIN_RESULT_BYTES = 64 * 1024
const DEAD_LETTER_RETENTION_MS = 30 * 24 * 3_600_000

const DISCONNECT_WITHIN_MS = 1_000

export async function withAdmin<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin({ retry: { retries: 2 } })
  try {
    await admin.connect()
    return await work(admin)
  } catch (error) {
    throw error instanceof OperatorError ? error : new OperatorError(explain(error))
  } finally {
    const gone = admin.disconnect().catch(() => undefined)
    // kafkajs waits for all responses, and the optional request may never get one.
    await Promise.race([gone, setTimeout(DISCONNECT_WITHIN_MS, null, { ref: false })])
  }
}

export interface Inspection {
  /** Number of partitions by topic. */
  readonly partitions: ReadonlyMap<string, number>
  /** `max.message.bytes` by topic, if known. */
  readonly maxMessageBytes: ReadonlyMap<string, number>
  /** Notices for the operator that do not stop the service. */
  readonly notices: readonly TopicNotice[]
}

export interface TopicNotice {
  readonly level: 'info' | 'warn'
  readonly message: string
}

/**
 * Rejects if a topic is missing or its maximum record size is too small. The topics' settings are requested last,
 * because a broker or proxy may not support that request, and the service can do without it.
 */
export async function inspectTopics(admin: Admin, names: TopicNames): Promise<Inspection> {
  const wanted = [names.input, names.result, names.deadLetter, ...names.retry]
  const present = new Set(await admin.listTopics())
  const missing = wanted.filter((topic) => !present.has(topic))
  if (missing.length > 0) {
    throw new OperatorError(
      `Missing topics: ${missing.join(', ')}. Create them with ${CREATE_TOPICS}, or, if they exist, grant READ on the input and retry topics and WRITE on the result, retry and dead-letter topics.`,
    )
  }
  const { topics } = await admin.fetchTopicMetadata({ topics: wanted })
  const settings = await describeTopics(admin, wanted)
  const partitions = new Map(topics.map((topic) => [topic.name, topic.partitions.length]))
  if (settings.kind === 'unknown') {
    return { partitions, maxMessageBytes: new Map(), notices: [settings.notice] }
  }
  const maxMessageBytes = new Map(
    [...settings.byTopic].flatMap(([topic, { maxMessageBytes: size }]) =>
      size === null ? [] : [[topic, size]],
    ),
  )
  const notices = [...sizeNotices(maxMessageBytes, names), ...compactionNotices(settings.byTopic, names)]
  return { partitions, maxMessageBytes, notices }
}

/** Throws if the maximum record size of a topic is too small. */
function sizeNotices(sizes: ReadonlyMap<string, number>, names: TopicNames): TopicNotice[] {
  const copies = [names.deadLetter, ...names.retry]
  const needed = sizes.get(names.input) ?? 0
  const isBelow = (min: number) => (topic: string) => (sizes.get(topic) ?? Infinity) < min
  const small = copies.filter(isBelow(needed))
  if (small.length > 0) {
    throw new OperatorError(
      `max.message.bytes of ${small.join(', ')} is below that of ${names.input}, ${bytes(needed)}: large events do not fit into these topics. Raise it to at least ${bytes(needed + HEADER_ROOM_BYTES)}.`,
    )
  }
  if (isBelow(MIN_RESULT_BYTES)(names.result)) {
    throw new OperatorError(
      `max.message.bytes of ${names.result} is below ${bytes(MIN_RESULT_BYTES)}, so large results do not fit. Raise it to at least that.`,
    )
  }
  const tight = copies.filter(isBelow(needed + HEADER_ROOM_BYTES))
  if (tight.length === 0) return []
  return [
    {
      level: 'warn',
      message: `max.message.bytes of ${tight.join(', ')} leaves no room for the headers that the service adds to an event. An event as large as ${names.input} allows then becomes a dead letter without its value if it cannot be compressed. Raise it to ${bytes(needed + HEADER_ROOM_BYTES)}.`,
    },
  ]
}

/** The input topic may be compacted, because a newer event of a transaction replaces older ones. */
function compactionNotices(
  settings: ReadonlyMap<string, TopicSettings>,
  { result, deadLetter, retry }: TopicNames,
): TopicNotice[] {
  const compacted = [result, deadLetter, ...retry].filter(
    (topic) => settings.get(topic)?.isCompacted === true,
  )
  if (compacted.length === 0) return []
  return [
    {
      level: 'warn',
      message: `cleanup.policy of ${compacted.join(', ')} includes compact: Kafka deletes all records of a key except the newest, so earlier results, waiting retry copies and dead letters of the same key are lost, and it rejects records without a key. Set cleanup.policy=delete on these topics.`,
    },
  ]
}

/** Groups the digits, because the log withholds long numbers without groups. */
function bytes(count: number): string {
  return `${count.toLocaleString('en')} bytes`
}

export interface TopicSettings {
  /** Null if the broker does not report it. */
  readonly maxMessageBytes: number | null
  readonly isCompacted: boolean
}

type Described =
  | { readonly kind: 'known'; readonly byTopic: ReadonlyMap<string, TopicSettings> }
  | { readonly kind: 'unknown'; readonly notice: TopicNotice }

const MAX_MESSAGE_BYTES = 'max.message.bytes'
const CLEANUP_POLICY = 'cleanup.policy'

/**
 * Never rejects, because brokers and proxies answer this optional request in many ways, or close the connection.
 */
async function describeTopics(admin: Admin, topics: readonly string[]): Promise<Described> {
  try {
    const asked = onceKnown(() => topicSettings(admin, topics))
    // The request may still fail after its time limit.
    asked.catch(() => undefined)
    const settings = await Promise.race([asked, setTimeout(OPTIONAL_WITHIN_MS, null, { ref: false })])
    if (settings !== null) return { kind: 'known', byTopic: settings }
    return { kind: 'unknown', notice: notServed('no answer') }
  } catch (error) {
    const type = errorType(error)
    return { kind: 'unknown', notice: type.includes('AUTHORIZATION') ? NOT_ALLOWED : notServed(type) }
  }
}

/** A proxy without this request may not answer at all, while a broker answers at once. */
const OPTIONAL_WITHIN_MS = 3_000
const SKIPPED = `${MAX_MESSAGE_BYTES} and ${CLEANUP_POLICY} of the topics were not checked`

const NOT_ALLOWED: TopicNotice = {
  level: 'info',
  message: `The Kafka user may not read the configuration of topics (DESCRIBE_CONFIGS), so ${SKIPPED}.`,
}

function notServed(why: string): TopicNotice {
  return {
    level: 'warn',
    message: `The brokers, or a proxy in front of them, do not support DescribeConfigs (${why}), so ${SKIPPED}. Check by hand that the retry and dead-letter topics accept records as large as the input topic's, and are not compacted.`,
  }
}

async function topicSettings(
  admin: Admin,
  topics: readonly string[],
): Promise<ReadonlyMap<string, TopicSettings>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configNames: [MAX_MESSAGE_BYTES, CLEANUP_POLICY],
    })),
  })
  return new Map(
    resources.map(({ resourceName, configEntries }) => {
      const value = (wanted: string): string =>
        configEntries.find(({ configName }) => configName === wanted)?.configValue ?? ''
      const maxBytes = Number(value(MAX_MESSAGE_BYTES))
      return [
        resourceName,
        {
          maxMessageBytes: Number.isSafeInteger(maxBytes) && maxBytes > 0 ? maxBytes : null,
          isCompacted: value(CLEANUP_POLICY)
            .split(/\s*,\s*/)
            .includes('compact'),
        },
      ]
    }),
  )
}

const KNOWN_WITHIN_TRIES = 300
const RETRY_MS = 100

/**
 * Creates topics, and resolves once the broker knows them: it may not have heard yet of what the controller has
 * created, and kafkajs gives up in this case.
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
    await setTimeout(RETRY_MS)
  }
}

export interface CreateTopicsOptions {
  readonly names: TopicNames
  readonly partitions: number
  readonly replicationFactor: number
}

export interface Creation {
  readonly outcomes: readonly TopicOutcome[]
  readonly notices: readonly TopicNotice[]
}

/** Creates missing topics, and adds partitions to retry topics that have fewer than the input topic. */
export async function createTopics(admin: Admin, options: CreateTopicsOptions): Promise<Creation> {
  try {
    return await createAll(admin, options)
  } catch (error) {
    throw error instanceof OperatorError ? error : new OperatorError(explain(error, 'creating topics'))
  }
}

async function createAll(admin: Admin, options: CreateTopicsOptions): Promise<Creation> {
  const { names } = options
  const present = new Set(await admin.listTopics())
  const outcomes: TopicOutcome[] = []
  // The input topic comes first, because it determines the number of partitions and the record size of the others.
  const input = await createOne(
    admin,
    options,
    { topic: names.input, likeInput: false, configs: {} },
    present,
  )
  outcomes.push(input)
  const others = [names.result, names.deadLetter, ...names.retry].filter((topic) => present.has(topic))
  const settings = await describeTopics(admin, [names.input, ...others])
  const inputBytes =
    (settings.kind === 'known' ? settings.byTopic.get(names.input)?.maxMessageBytes : null) ??
    DEFAULT_MAX_MESSAGE_BYTES
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
  return {
    outcomes,
    notices: settings.kind === 'unknown' ? [settings.notice] : compactionNotices(settings.byTopic, names),
  }
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
