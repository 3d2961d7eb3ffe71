/**
 * What a broker remembers of the partitions it is asked for (KIP-227), so that a request names only those that changed and
 * an answer only those with news. A broker that keeps no session is sent all partitions each time. Pure.
 */
import type { TopicPartition } from './batches.ts'
import type { FetchRequest } from './broker-requests.ts'

export interface WantedPartition extends TopicPartition {
  readonly key: string
  readonly next: bigint
}

type Changes = Pick<FetchRequest, 'sessionId' | 'sessionEpoch' | 'topics' | 'forgottenTopics'>

interface Asked extends TopicPartition {
  offset: bigint
  /** The request that wanted it last. */
  turn: number
}

/** The first request of a session. The broker drops the session that is named with it. */
const FIRST_EPOCH = 0
const MAX_EPOCH = 2 ** 31 - 1

export class FetchSession {
  readonly #maxBytesPerPartition: number
  readonly #asked = new Map<string, Asked>()
  #sessionId = 0
  #epoch = FIRST_EPOCH
  #turn = 0

  constructor(maxBytesPerPartition: number) {
    this.#maxBytesPerPartition = maxBytesPerPartition
  }

  /** Where the partition was last asked for from; null when the last request did not want it. */
  offsetOf(key: string): bigint | null {
    return this.#asked.get(key)?.offset ?? null
  }

  /** The request that asks for these partitions and no others, in this order where the broker does not remember one. */
  next(wanted: readonly WantedPartition[]): Changes {
    if (this.#epoch === FIRST_EPOCH) this.#asked.clear()
    this.#turn += 1
    const changed = wanted.flatMap((one) => this.#ask(one))
    return {
      sessionId: this.#sessionId,
      sessionEpoch: this.#epoch,
      topics: inOrder(changed).map(({ topic, all }) => ({
        topic,
        partitions: all.map(({ partition, offset }) => ({
          partition,
          fetchOffset: String(offset),
          maxBytes: this.#maxBytesPerPartition,
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

  /** What the broker knows is not certain: the next request names everything. */
  failed(): void {
    this.#epoch = FIRST_EPOCH
  }

  #ask({ key, topic, partition, next }: WantedPartition): Asked[] {
    const before = this.#asked.get(key)
    if (before === undefined) {
      const added = { topic, partition, offset: next, turn: this.#turn }
      this.#asked.set(key, added)
      return [added]
    }
    before.turn = this.#turn
    if (before.offset === next) return NOTHING
    before.offset = next
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

/** Neighbors of one topic go together; the order stays, for it is the order in which the broker fills its answer. */
function inOrder(partitions: readonly Asked[]): { topic: string; all: Asked[] }[] {
  const topics: { topic: string; all: Asked[] }[] = []
  for (const one of partitions) {
    const last = topics.at(-1)
    if (last?.topic === one.topic) last.all.push(one)
    else topics.push({ topic: one.topic, all: [one] })
  }
  return topics
}
