/** Events that keep coming, of kinds that change while they do: what the simulator answers hangs on them. */
import type { Kafka, Message } from 'kafkajs'
import { eventFor, type EncodeEvent } from '../../dev/harness/events.ts'
import { scenarioNamed } from '../../src/simulator/scenarios.ts'
import { startSender } from '../chaos/sender.ts'

export interface LoadOptions {
  readonly kafka: Kafka
  readonly topic: string
  readonly partitions: number
  readonly encode: EncodeEvent
}

/** What customers are like on an ordinary day: most pass, some fail, one in twenty seems forged. */
export const EVERYDAY: readonly string[] = [
  ...kinds('passhkid2018', 5),
  ...kinds('passpassport', 4),
  ...kinds('passmainlandid', 4),
  ...kinds('passmacaoid', 3),
  'failhkid2018',
  'failpassport',
  'riskpassport',
  'notyet',
]

export class Load {
  readonly #options: LoadOptions
  #kinds = EVERYDAY
  #number: number
  #ageMs = 0

  constructor(options: LoadOptions, firstNumber: number) {
    this.#options = options
    this.#number = firstNumber
  }

  /** Begins to send so many a second; what it returns ends that. Several can run at once. */
  async send(perSecond: number): Promise<() => Promise<void>> {
    const { kafka, topic, partitions } = this.#options
    const sender = await startSender({
      kafka,
      topic,
      partitions: () => partitions,
      perSecond,
      message: () => this.#message(),
    })
    return () => sender.stopAt(0)
  }

  /** From now on. */
  ofKinds(kindsNow: readonly string[]): void {
    this.#kinds = kindsNow
  }

  /** From now on events are stamped so long ago, as a producer's that was held up. */
  late(ageMs: number): void {
    this.#ageMs = ageMs
  }

  #message(): Message {
    this.#number += 1
    const kind = this.#kinds[this.#number % this.#kinds.length] ?? ''
    const event = eventFor({ name: kind, docType: scenarioNamed(kind)?.docType ?? null }, this.#number)
    return {
      key: event.transactionId,
      value: kind === 'poison' ? '{' : this.#options.encode(event),
      ...(this.#ageMs === 0 ? {} : { timestamp: String(Date.now() - this.#ageMs) }),
    }
  }
}

function kinds(name: string, times: number): string[] {
  return Array.from({ length: times }, () => name)
}
