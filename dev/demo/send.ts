/** Sends the plan to the input topic: first at a steady pace, then a burst that only the quota slows down. */
import { setTimeout as delay } from 'node:timers/promises'
import kafkajs, { type Kafka } from 'kafkajs'
import { encodeJson, eventFor, type EncodeEvent } from '../harness/events.ts'
import type { PlannedEvent } from './plan.ts'

export interface SentEvent extends PlannedEvent {
  readonly key: string
  readonly value: Buffer | null
  /** The record's timestamp. */
  readonly sentAtMs: number
  readonly inRush: boolean
  readonly partition: number
  readonly offset: bigint
}

export interface SendOptions {
  readonly kafka: Kafka
  readonly topic: string
  readonly encodeAvro: EncodeEvent
  readonly perSecond: number
  readonly onSent: (events: number) => void
}

/** The share of events in the burst. */
const RUSH = 1 / 8

export async function sendEvents(
  plan: readonly PlannedEvent[],
  options: SendOptions,
): Promise<readonly SentEvent[]> {
  const producer = options.kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  const paced = Math.ceil(plan.length * (1 - RUSH))
  const startMs = performance.now()
  let done = 0
  const sending = plan.map(async (event, at) => {
    const dueMs = (Math.min(at, paced) / options.perSecond) * 1000
    await delay(Math.max(0, startMs + dueMs - performance.now()))
    const record = recordOf(event, options.encodeAvro)
    const sentAtMs = Date.now()
    const [written] = await producer.send({
      topic: options.topic,
      messages: [{ ...record, timestamp: String(sentAtMs) }],
    })
    if (written?.baseOffset === undefined) throw new Error('Kafka did not say where an event was written.')
    done += 1
    options.onSent(done)
    const { partition, baseOffset } = written
    return { ...event, ...record, sentAtMs, inRush: at >= paced, partition, offset: BigInt(baseOffset) }
  })
  try {
    return await Promise.all(sending)
  } finally {
    await producer.disconnect()
  }
}

function recordOf({ number, content }: PlannedEvent, encodeAvro: EncodeEvent) {
  if (content.kind === 'bytes') return { key: `undecodable${number}`, value: content.value }
  const event = eventFor(content.scenario, number)
  const encode = content.encoding === 'avro' ? encodeAvro : encodeJson
  return { key: event.transactionId, value: encode(event) }
}
