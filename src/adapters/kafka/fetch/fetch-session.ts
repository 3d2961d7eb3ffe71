/**
 * A fetch session (KIP-227): the broker remembers the requested partitions, so a request names only changed ones
 * and a response contains only partitions with news. A broker without sessions gets all partitions each time. Pure.
 */
import type { TopicPartition } from '../../../core/partitions/topic-partition.ts'
import type { FetchRequest } from '../broker-requests.ts'

export interface WantedPartition extends TopicPartition {
  readonly key: string
  readonly next: bigint
}

type Changes = Pick<FetchRequest, 'sessionId' | 'sessionEpoch' | 'topics' | 'forgottenTopics'>

interface Asked extends TopicPartition {
  offset: bigint
  maxBytes: number
  /** Number of the last request that included it. */
  turn: number
}

/** The first request of a session. The broker drops the session that it names. */
const FIRST_EPOCH = 0
const MAX_EPOCH = 2 ** 31 - 1

export class FetchSession {
  readonly #asked = new Map<string, Asked>()
  #sessionId = 0
  #epoch = FIRST_EPOCH
  #turn = 0

  /** The offset last requested for the partition. Null if the last request did not include it. */
  offsetOf(key: string): bigint | null {
    return this.#asked.get(key)?.offset ?? null
  }

  /**
   * Builds the request for exactly these partitions, in this order if the broker does not remember one. `maxBytes` is a
   * soft limit for each partition.
   */
  next(wanted: readonly WantedPartition[], maxBytes: number): Changes {
    if (this.#epoch === FIRST_EPOCH) this.#asked.clear()
    this.#turn += 1
    const changed = wanted.flatMap((one) => this.#ask(one, maxBytes))
    return {
      sessionId: this.#sessionId,
      sessionEpoch: this.#epoch,
      topics: inOrder(changed).map(({ topic, all }) => ({
        topic,
        partitions: all.map(({ partition, offset }) => ({
          partition,
          fetchOffset: String(offset),
          maxBytes,
        })),
      })),
      forgottenTopics: inOrder(this.#forget(wanted.length)).map(({ topic, all }) => ({
        topic,
        partitions: all.map(({ partition }) => partition),
      })),
    }
  }

  answered(sessionId: number): void {
    this.#sessionId = sessionId
    if (sessionId === 0) this.#epoch = FIRST_EPOCH
    else this.#epoch = this.#epoch === MAX_EPOCH ? 1 : this.#epoch + 1
  }

  /** The broker's state is uncertain, so the next request names all partitions. */
  failed(): void {
    this.#epoch = FIRST_EPOCH
  }

  #ask({ key, topic, partition, next }: WantedPartition, maxBytes: number): Asked[] {
    const before = this.#asked.get(key)
    if (before === undefined) {
      const added = { topic, partition, offset: next, maxBytes, turn: this.#turn }
      this.#asked.set(key, added)
      return [added]
    }
    before.turn = this.#turn
    // A larger limit can wait until the partition has moved.
    if (before.offset === next && before.maxBytes <= maxBytes) return NOTHING
    before.offset = next
    before.maxBytes = maxBytes
    return [before]
  }

  #forget(wanted: number): Asked[] {
    if (this.#asked.size === wanted) return NOTHING
    const forgotten: Asked[] = []
    for (const [key, one] of this.#asked) {
      if (one.turn === this.#turn) continue
      this.#asked.delete(key)
      forgotten.push(one)
    }
    return forgotten
  }
}

const NOTHING: Asked[] = []

/**
 * Groups adjacent partitions of one topic and keeps the order, because the broker fills its response in this order.
 */
function inOrder(partitions: readonly Asked[]): { topic: string; all: Asked[] }[] {
  const topics: { topic: string; all: Asked[] }[] = []
  for (const one of partitions) {
    const last = topics.at(-1)
    if (last?.topic === one.topic) last.all.push(one)
    else topics.push({ topic: one.topic, all: [one] })
  }
  return topics
}
