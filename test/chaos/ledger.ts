/**
 * Counts the outputs of each event by its input partition and offset, as a read_committed consumer sees them. Uses
 * one byte per event, so a million events fit into memory.
 *
 * The number of events comes from the end offsets of the input topic, because a producer whose connection breaks does
 * not always know what was written.
 */
import { decodeResult, header, isSentinel, type OutputTopics } from '../support/outputs.ts'
import type { ReadRecord } from '../support/kafka.ts'

export interface Tally {
  readonly events: number
  readonly lost: number
  readonly repeated: number
  /** Outputs of input offsets to which no event was written. */
  readonly strange: number
}

interface Source {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** A committed copy in a retry topic. */
export interface Deferred {
  readonly transactionId: string
  readonly timestampMs: number
}

const FIRST_SIZE = 4_096
const MAX = 255

export class Ledger {
  readonly #topics: OutputTopics & { readonly input: string }
  /** Number of outputs of each offset, by input partition. */
  readonly #counts = new Map<number, Uint8Array>()
  /** Broker timestamps of the outputs, by input partition. */
  readonly #times = new Map<number, number[]>()
  readonly deferred: Deferred[] = []
  #strange = 0
  #outputs = 0

  constructor(topics: OutputTopics & { readonly input: string }) {
    this.#topics = topics
  }

  /** Outputs read so far: results and dead letters. */
  get outputs(): number {
    return this.#outputs
  }

  add(record: ReadRecord): void {
    if (isSentinel(record)) return
    const { result, deadLetter } = this.#topics
    if (record.topic !== result && record.topic !== deadLetter) {
      this.deferred.push({ transactionId: String(record.key), timestampMs: record.timestampMs })
      return
    }
    this.#outputs += 1
    const { topic, partition, offset } = this.#sourceOf(record)
    if (topic !== this.#topics.input) {
      this.#strange += 1
      return
    }
    const counts = this.#countsOf(partition, offset)
    counts[offset] = Math.min((counts[offset] ?? 0) + 1, MAX)
    this.#timesOf(partition).push(record.timestampMs)
  }

  /** `ends`: the end offset of each input partition. */
  tally(ends: ReadonlyMap<number, number>): Tally {
    const tally = { events: 0, lost: 0, repeated: 0, strange: this.#strange }
    for (const partition of new Set([...ends.keys(), ...this.#counts.keys()])) {
      const end = ends.get(partition) ?? 0
      const counts = this.#counts.get(partition) ?? new Uint8Array()
      tally.events += end
      for (let offset = 0; offset < end; offset += 1) {
        const times = counts[offset] ?? 0
        if (times === 0) tally.lost += 1
        else tally.repeated += times - 1
      }
      for (let offset = end; offset < counts.length; offset += 1) tally.strange += counts[offset] ?? 0
    }
    return tally
  }

  /** Positions (`partition:offset`) of events without an output. */
  missing(ends: ReadonlyMap<number, number>): string[] {
    return [...ends].flatMap(([partition, end]) =>
      Array.from({ length: end }, (_, offset) => offset)
        .filter((offset) => (this.#counts.get(partition)?.[offset] ?? 0) === 0)
        .map((offset) => `${partition}:${offset}`),
    )
  }

  /** Milliseconds until every input partition with a later output had its first one. Null if no output followed. */
  resumedAfter(epochMs: number): number | null {
    const firsts = [...this.#times.values()].flatMap((times) => {
      const after = times.filter((time) => time >= epochMs)
      return after.length === 0 ? [] : [Math.min(...after)]
    })
    return firsts.length === 0 ? null : Math.max(...firsts) - epochMs
  }

  #sourceOf(record: ReadRecord): Source {
    if (record.topic === this.#topics.result) {
      return decodeResult(record).source
    }
    const at = (name: string): string => header(record, `__connect.errors.${name}`)
    return { topic: at('topic'), partition: Number(at('partition')), offset: Number(at('offset')) }
  }

  #countsOf(partition: number, offset: number): Uint8Array {
    const counts = this.#counts.get(partition) ?? new Uint8Array(FIRST_SIZE)
    if (offset < counts.length) {
      this.#counts.set(partition, counts)
      return counts
    }
    const larger = new Uint8Array(Math.max(counts.length * 2, offset + 1))
    larger.set(counts)
    this.#counts.set(partition, larger)
    return larger
  }

  #timesOf(partition: number): number[] {
    const times = this.#times.get(partition) ?? []
    this.#times.set(partition, times)
    return times
  }
}

/**
 * Describes the deferred events that were called too early: a call came after their retry copy was written, and none
 * once it was due. If a call at the due time follows, the early call was not for the copy: a former owner of the
 * partition, not yet aware of the rebalance, called for the event itself, and its output was fenced.
 */
export function earlyRetries(
  deferred: readonly Deferred[],
  calls: ReadonlyMap<string, readonly number[]>,
  delayMs: number,
): string[] {
  return deferred.flatMap(({ transactionId, timestampMs }) => {
    const times = calls.get(transactionId) ?? []
    if (times.some((at) => at >= timestampMs + delayMs)) return []
    return times.flatMap((at, index) =>
      at > timestampMs
        ? [`call ${index + 1} of ${times.length} came ${at - timestampMs} ms after the copy was written`]
        : [],
    )
  })
}
