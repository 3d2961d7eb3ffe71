/**
 * Requests that kafkajs can encode but does not offer, or whose whole response it rejects if one partition fails.
 */
import { byTopic } from './by-topic.ts'
import { API_KEYS, REQUESTS, type Broker, type Exchange, type OwnRequest } from './kafkajs/internals.ts'
import { decodeFetchAnswer, type FetchAnswer } from './fetch/fetch-answer.ts'

export interface FetchRequest {
  readonly maxWaitTime: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly isolationLevel: number
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly topics: readonly {
    readonly topic: string
    readonly partitions: readonly {
      readonly partition: number
      readonly fetchOffset: string
      readonly maxBytes: number
    }[]
  }[]
  readonly forgottenTopics: readonly { readonly topic: string; readonly partitions: readonly number[] }[]
}

/**
 * From version 11 on the broker may redirect to a follower, which knows less about the end of the log than the
 * leader.
 */
const MAX_FETCH_VERSION = 10

export async function fetch(broker: Broker, request: FetchRequest): Promise<FetchAnswer> {
  const exchange = encode(broker, 'Fetch', request, MAX_FETCH_VERSION)
  const version = Number(exchange.request['apiVersion'])
  const answer = await send(broker, {
    ...exchange,
    response: { decode: (payload) => decodeFetchAnswer(payload, version), parse: (decoded) => decoded },
  })
  return answer as FetchAnswer
}

/** The first offset of a log, or the one after its last record. */
export const TIMESTAMP = { earliest: '-2', latest: '-1' } as const

export interface ListedOffset {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  readonly offset: bigint
}

interface ListOffsetsAnswer {
  readonly responses: readonly {
    readonly topic: string
    readonly partitions: readonly {
      readonly partition: number
      readonly errorCode: number
      readonly offset: string
    }[]
  }[]
}

/** Returns an error per partition. The end is the end of the log, regardless of open transactions. */
export async function listOffsets(
  broker: Broker,
  partitions: readonly { readonly topic: string; readonly partition: number }[],
  which: keyof typeof TIMESTAMP,
): Promise<readonly ListedOffset[]> {
  const timestamp = TIMESTAMP[which]
  const topics = byTopic(partitions, ({ partition }) => ({ partition, timestamp }))
  const exchange = encode(broker, 'ListOffsets', { isolationLevel: READ_UNCOMMITTED, topics })
  const { responses } = (await send(broker, {
    ...exchange,
    response: { decode: (payload) => exchange.response.decode(payload), parse: (decoded) => decoded },
  })) as ListOffsetsAnswer
  return responses.flatMap(({ topic, partitions: all }) =>
    all.map(({ partition, errorCode, offset }) => ({ topic, partition, errorCode, offset: BigInt(offset) })),
  )
}

const READ_UNCOMMITTED = 0

/** In the newest version that both sides know. */
export function encode(broker: Broker, api: OwnRequest, fields: object, maxVersion = Infinity): Exchange {
  const definition = REQUESTS[api]
  const version = Math.min(
    Math.max(...definition.versions.map(Number)),
    maxVersion,
    broker.versions?.[API_KEYS[api]]?.maxVersion ?? Infinity,
  )
  return definition.protocol({ version })(fields)
}

/** Sends the request the way kafkajs does. */
export async function send(broker: Broker, exchange: Exchange): Promise<unknown> {
  try {
    return await broker.connectionPool.send(exchange)
  } catch (error) {
    if (error instanceof Error && error.name === 'KafkaJSConnectionClosedError') await broker.disconnect()
    throw error
  }
}
