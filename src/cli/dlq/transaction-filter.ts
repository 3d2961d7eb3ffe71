/** Finds the transaction ids of dead letters, which only their events hold. */
import type { InputRecord } from '../../ports.ts'
import type { EventReader } from './event-reader.ts'
import { count } from './render.ts'

/** How many events could not be read, by cause. */
export interface Unread {
  readonly invalid: number
  readonly noRegistry: number
  readonly noAnswer: number
}

export class TransactionFilter {
  readonly #reader: EventReader
  readonly #wanted: string | null
  #unread: Unread = { invalid: 0, noRegistry: 0, noAnswer: 0 }

  /** `wanted` is the id to look for; null takes any. */
  constructor(reader: EventReader, wanted: string | null) {
    this.#reader = reader
    this.#wanted = wanted
  }

  get unread(): Unread {
    return this.#unread
  }

  /**
   * The transaction's id, null if the event cannot be read; `another` if it is not the wanted one. An event that cannot be read
   * is the wanted one if its key is the wanted id, as producers are told to key events.
   */
  async read(record: InputRecord): Promise<{ readonly id: string | null } | 'another'> {
    const reading = await this.#reader.read(record)
    if (reading.kind === 'event') {
      const { transactionId } = reading.event
      return this.#wanted === null || transactionId === this.#wanted
        ? { id: printable(transactionId) }
        : 'another'
    }
    if (this.#wanted !== null && record.key?.equals(Buffer.from(this.#wanted)) === true) return { id: null }
    const cause = reading.kind === 'unread' ? CAUSES[reading.why] : 'invalid'
    this.#unread = { ...this.#unread, [cause]: this.#unread[cause] + 1 }
    return this.#wanted === null ? { id: null } : 'another'
  }
}

const CAUSES = { 'no-registry': 'noRegistry', 'no-answer': 'noAnswer' } as const

/** None if every event was read. */
export function unreadLines({ invalid, noRegistry, noAnswer }: Unread): string[] {
  const parts = [
    ...(invalid === 0 ? [] : [`${invalid} invalid`]),
    ...(noRegistry === 0 ? [] : [`${noRegistry} in Avro, and SCHEMA_REGISTRY_URL is not set`]),
    ...(noAnswer === 0 ? [] : [`${noAnswer} in Avro, and the schema registry does not answer`]),
  ]
  const all = invalid + noRegistry + noAnswer
  return all === 0 ? [] : [`The transaction of ${count(all, 'event')} cannot be read: ${parts.join('; ')}.`]
}

/** As one line that a terminal shows as it is: whoever wrote the event chose the id. */
function printable(id: string): string {
  return id.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')
}
