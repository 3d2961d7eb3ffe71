/**
 * An in-memory dead-letter topic and a redrive sink that behaves like Kafka: once committed, redrive receipts can be
 * read.
 */
import { deadLetterHeaders, type DeadLetterReason } from '../../src/core/dead-letters/dead-letter.ts'
import type { Headers } from '../../src/core/records/headers.ts'
import type { DlqReader } from '../../src/pipeline/dead-letters/dead-letters.ts'
import type { InputRecord, OutputRecord, RedriveSink, PublishOutcome, TopicReader } from '../../src/ports.ts'

export interface StoredFacts {
  readonly reason?: DeadLetterReason
  readonly code?: string
  readonly failedAtMs?: number
  readonly redrives?: number
  readonly own?: Headers
  readonly key?: Buffer | null
  readonly value?: Buffer | null
  /** Position of the event. */
  readonly sourceTopic?: string
  /** Headers that describe what the dead letter omits. */
  readonly leftOut?: Headers
}

export const FAILED_AT_MS = Date.UTC(2026, 0, 1)

export function storedHeaders(facts: StoredFacts = {}): Headers {
  const { reason = 'undecodable', code = 'malformed-json', failedAtMs = FAILED_AT_MS, redrives = 0 } = facts
  const topic = facts.sourceTopic ?? 'in'
  const headers = deadLetterHeaders(facts.own ?? [], {
    cause: { reason, code, stage: 'decode', message: 'A message of ours.' },
    history: { attempts: 1, firstSeenMs: 1, source: { topic, partition: 0, offset: 5n }, redrives },
    failedAtMs,
    service: 'checkresult-stream 0',
  })
  return [...headers, ...(facts.leftOut ?? [])]
}

export class DeadLetterTopic {
  readonly #records: InputRecord[][]

  constructor(partitions: number) {
    this.#records = Array.from({ length: partitions }, () => [])
  }

  /** Returns its DLQ position. */
  add(partition: number, facts: StoredFacts = {}): string {
    return this.append(partition, { key: null, value: Buffer.from('{'), ...facts }, storedHeaders(facts))
  }

  append(
    partition: number,
    { key = null, value = null }: Pick<StoredFacts, 'key' | 'value'>,
    headers: Headers,
  ): string {
    const records = this.#records[partition] ?? []
    const offset = BigInt(records.length)
    records.push({ topic: 'dead', partition, offset, timestampMs: FAILED_AT_MS, key, value, headers })
    return `${partition}:${offset}`
  }

  /** The current records, for a pipeline that reads `in` and one retry topic. */
  source(atOnce?: number): DlqReader {
    return { topic: this.reader(atOnce), ownTopics: new Set(['in', 'in.retry.1m']) }
  }

  /** The current records, read in chunks of `atOnce`. */
  reader(atOnce = 3): TopicReader {
    const snapshot = this.#records.map((records) => [...records])
    return {
      ranges: snapshot.map(({ length }, partition) => ({ partition, begin: 0n, end: BigInt(length) })),
      read: async function* read({ partition }) {
        const records = snapshot[partition] ?? []
        for (let at = 0; at < records.length; at += atOnce) yield records.slice(at, at + atOnce)
      },
      close: () => Promise.resolve(),
    }
  }
}

export interface FakeRedriveSink extends RedriveSink {
  /** Records committed to the input topic. */
  readonly events: readonly OutputRecord[]
  readonly transactions: number
}

/**
 * `outcomes`: one for each transaction, the last one repeats. `refuses`: the error code with which the broker rejects
 * a transaction that contains this event.
 */
export function redriveSink(
  topic: DeadLetterTopic,
  {
    inputPartitions = 2,
    outcomes = [],
    refuses = () => null,
  }: {
    inputPartitions?: number
    outcomes?: readonly PublishOutcome[]
    refuses?: (event: OutputRecord) => string | null
  } = {},
): FakeRedriveSink {
  const events: OutputRecord[] = []
  const sink = {
    events,
    transactions: 0,
    partitions: (name: string) => (name === 'in' ? inputPartitions : 2),
    publish: (outputs: readonly OutputRecord[]): Promise<PublishOutcome> => {
      const [code] = outputs.filter(({ topic: name }) => name === 'in').flatMap((one) => refuses(one) ?? [])
      const failure = { code: code ?? '', message: 'A message of ours.', temporary: false }
      const refused = code === undefined ? null : ({ kind: 'refused', failure } as const)
      const outcome = refused ?? outcomes[sink.transactions] ?? outcomes.at(-1) ?? { kind: 'committed' }
      sink.transactions += 1
      if (outcome.kind !== 'committed') return Promise.resolve(outcome)
      for (const output of outputs) {
        if (output.topic === 'in') events.push(output)
        else topic.append(output.partition, output, output.headers)
      }
      return Promise.resolve(outcome)
    },
    close: () => Promise.resolve(),
  }
  return sink
}
