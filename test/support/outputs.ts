/** Decodes the outputs of a run and checks that each event has exactly one. */
import avsc from 'avsc'
import { schemaJson } from '../../src/adapters/registry/schemas.ts'
import type { VerificationResult } from '../../src/core/records/schema-types.ts'
import type { Producer } from 'kafkajs'
import { uniqueName, type Outputs, type ReadRecord } from './kafka.ts'

/** `topic:partition:offset` of an event on the input topic. */
export type Coordinates = string

export interface OutputTopics {
  readonly result: string
  readonly deadLetter: string
}

const HEADER_BYTES = 5

const SENTINEL = 'test-sentinel'

/**
 * Resolves when everything written so far has been read. It writes a record to each partition and waits for it:
 * nothing can follow it, and an open transaction before it would hide it.
 */
export async function readToTheEnd(
  outputs: Outputs,
  producer: Producer,
  partitions: ReadonlyMap<string, number>,
): Promise<void> {
  const round = uniqueName('round')
  const wanted = [...partitions.values()].reduce((sum, count) => sum + count, 0)
  const topicMessages = [...partitions].map(([topic, count]) => ({
    topic,
    messages: Array.from({ length: count }, (_, partition) => ({
      partition,
      value: '',
      headers: { [SENTINEL]: round },
    })),
  }))
  await producer.sendBatch({ topicMessages })
  const isOurs = ({ headers }: ReadRecord): boolean => String(headers[SENTINEL]) === round
  await outputs.until(() => outputs.records.filter(isOurs).length === wanted)
}

export function isSentinel({ headers }: ReadRecord): boolean {
  return headers[SENTINEL] !== undefined
}

const resultType = avsc.Type.forSchema(JSON.parse(schemaJson('verification-result')) as avsc.Schema)

export function decodeResult({ value }: Pick<ReadRecord, 'value'>): VerificationResult {
  return resultType.fromBuffer((value ?? Buffer.alloc(0)).subarray(HEADER_BYTES)) as VerificationResult
}

/** The position of the event of a result or a dead letter. */
export function sourceOf(record: ReadRecord, topics: OutputTopics): Coordinates {
  if (record.topic === topics.result) {
    const { topic, partition, offset } = decodeResult(record).source
    return `${topic}:${partition}:${offset}`
  }
  const at = (name: string): string => header(record, `__connect.errors.${name}`)
  return `${at('topic')}:${at('partition')}:${at('offset')}`
}

/** The text of a header. Empty if the header is missing. */
export function header({ headers }: Pick<ReadRecord, 'headers'>, name: string): string {
  const value = headers[name]
  return value === undefined ? '' : value.toString()
}

export interface Tally {
  readonly lost: readonly Coordinates[]
  readonly repeated: readonly Coordinates[]
  /** Outputs of events that were not sent. */
  readonly strange: readonly Coordinates[]
}

export const EXACTLY_ONCE: Tally = { lost: [], repeated: [], strange: [] }

export function tally(sent: readonly Coordinates[], cameOut: readonly Coordinates[]): Tally {
  const wanted = new Set(sent)
  const seen = new Set<Coordinates>()
  const repeated = cameOut.filter((one) => seen.size === seen.add(one).size)
  return {
    lost: sent.filter((one) => !seen.has(one)),
    repeated,
    strange: [...seen].filter((one) => !wanted.has(one)),
  }
}
