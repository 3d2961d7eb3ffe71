/** Sends events at a steady pace until stopped, and continues when brokers fail. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka, Message, Producer } from 'kafkajs'

export interface SenderOptions {
  readonly kafka: Kafka
  readonly topic: string
  /** Current number of partitions of the topic. */
  readonly partitions: () => number
  readonly perSecond: number
  readonly message: (number: number) => Message
}

export interface Sender {
  /** Number of acknowledged events. */
  readonly sent: () => number
  /** Stops once this many events are acknowledged. */
  stopAt(events: number): Promise<void>
}

const TURN_MS = 50

export async function startSender(options: SenderOptions): Promise<Sender> {
  const state = { sent: 0, stopAt: Infinity }
  const running = send(options, state)
  running.catch(() => undefined)
  return {
    sent: () => state.sent,
    stopAt: async (events) => {
      state.stopAt = events
      await running
    },
  }
}

async function send(options: SenderOptions, state: { sent: number; stopAt: number }): Promise<void> {
  let producer = await connect(options.kafka)
  let number = 0
  let due = 0
  let turnedMs = performance.now()
  while (state.sent < state.stopAt) {
    await delay(TURN_MS)
    const nowMs = performance.now()
    due = Math.min(due + ((nowMs - turnedMs) * options.perSecond) / 1_000, options.perSecond)
    turnedMs = nowMs
    const count = Math.floor(due)
    if (count === 0) continue
    due -= count
    const messages = Array.from({ length: count }, (_, at) => ({
      partition: (number + at) % options.partitions(),
      ...options.message(number + at),
    }))
    number += count
    // One partition per send: if kafkajs retries a send to several, it repeats partitions whose leader has moved, with new sequence
    // numbers. The service skips such a duplicate, and the ledger would count it as lost.
    const sends = [...Map.groupBy(messages, ({ partition }) => partition).values()].map(async (some) => {
      await producer.send({ topic: options.topic, messages: some, acks: -1 })
      state.sent += some.length
    })
    const outcomes = await Promise.allSettled(sends)
    if (outcomes.some(({ status }) => status === 'rejected')) {
      // It is unknown whether they were written. They are not sent again, so each number is written at most once.
      await producer.disconnect().catch(() => undefined)
      producer = await connect(options.kafka)
    }
  }
  await producer.disconnect()
}

/** Idempotent, so retries inside the library write a batch only once. */
async function connect(kafka: Kafka): Promise<Producer> {
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    retry: { retries: 20, initialRetryTime: 100, maxRetryTime: 500 },
  })
  for (;;) {
    try {
      await producer.connect()
      return producer
    } catch {
      await delay(TURN_MS)
    }
  }
}
