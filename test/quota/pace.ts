/** Sends events one by one at a steady pace until stopped, each to the next partition. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Message, Producer } from 'kafkajs'
import { PARTITIONS } from './loads.ts'

export interface PaceOptions {
  readonly producer: Producer
  readonly topic: string
  readonly perSecond: number
  readonly message: () => Message
}

export interface Pace {
  stop(): Promise<void>
}

export function startPace(options: PaceOptions): Pace {
  const state = { stopped: false }
  const running = send(options, state)
  running.catch(() => undefined)
  return {
    stop: async () => {
      state.stopped = true
      await running
    },
  }
}

async function send(
  { producer, topic, perSecond, message }: PaceOptions,
  state: { stopped: boolean },
): Promise<void> {
  const startedMs = performance.now()
  const sending: Promise<unknown>[] = []
  for (let number = 0; !state.stopped; number += 1) {
    const sent = producer.send({ topic, messages: [{ ...message(), partition: number % PARTITIONS }] })
    sent.catch(() => undefined)
    sending.push(sent)
    await delay(Math.max(0, startedMs + ((number + 1) * 1_000) / perSecond - performance.now()))
  }
  await Promise.all(sending)
}
