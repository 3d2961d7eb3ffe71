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

  /** `wanted` is the id to look for; null matches any id. */
  constructor(reader: EventReader, wanted: string | null) {
    this.#reader = reader
    this.#wanted = wanted
  }

  get unread(): Unread {
    return this.#unread
  }

  /**
   * Returns the transaction's id (null if the event cannot be read), or `another` if it does not match. An event that cannot be
   * read matches if its key is the wanted id, because producers should use the transaction id as the key.
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

/** Empty if every event was read. */
export function unreadLines({ invalid, noRegistry, noAnswer }: Unread): string[] {
  const parts = [
    ...(invalid === 0 ? [] : [`${invalid} invalid`]),
    ...(noRegistry === 0 ? [] : [`${noRegistry} in Avro, and SCHEMA_REGISTRY_URL is not set`]),
    ...(noAnswer === 0 ? [] : [`${noAnswer} in Avro, and the schema registry does not answer`]),
  ]
  const all = invalid + noRegistry + noAnswer
  return all === 0 ? [] : [`The transaction of ${count(all, 'event')} cannot be read: ${parts.join('; ')}.`]
}

/** Replaces control characters, because anybody who may write events chooses their ids. */
function printable(id: string): string {
  return id.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')
}
