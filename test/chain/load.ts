/** A steady load of events. Their kinds, which determine the simulator's answers, can change while it runs. */
import type { Kafka, Message } from 'kafkajs'
import { eventFor, type EncodeEvent } from '../../dev/harness/events.ts'
import { scenarioNamed } from '../../simulator/scenarios.ts'
import { startSender } from '../chaos/sender.ts'

export interface LoadOptions {
  readonly kafka: Kafka
  readonly topic: string
  readonly partitions: number
  readonly encode: EncodeEvent
}

/** The kinds of a normal day: most pass, some fail, one in twenty looks forged. */
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

  /** Starts sending this many events per second. The returned function stops it. Several can run at once. */
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

  /** Applies to all further events. */
  ofKinds(kindsNow: readonly string[]): void {
    this.#kinds = kindsNow
  }

  /** Backdates all further events, like those of a producer that was delayed. */
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
