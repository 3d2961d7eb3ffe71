/** Writes the records in the given layout and records their offsets. */
import { BrokerConnection, type Producer } from './broker.ts'
import type { Layout } from './layout.ts'
import { encodeBatch, type ProducerState } from './record-batch.ts'
import type { FuzzRecord } from './records.ts'

export interface SenderOptions {
  readonly broker: string
  readonly topic: string
  readonly recordOf: (number: number) => FuzzRecord
  readonly maxBatchBytes: number
  readonly onSent: (record: FuzzRecord, partition: number, offset: bigint) => void
  /** Records of an aborted transaction, which must not come out. */
  readonly onAborted: (record: FuzzRecord, partition: number, offset: bigint) => void
  /** The broker rejected the record. */
  readonly onRefused: (record: FuzzRecord, code: number) => void
}

interface Transaction {
  readonly id: string
  readonly producer: Producer
  /** Next sequence number for each partition. */
  readonly sequences: Map<number, number>
}

interface StoredFuzzRecord {
  readonly record: FuzzRecord
  readonly offset: bigint
}

export class Sender {
  readonly #options: SenderOptions
  readonly #connection: BrokerConnection
  readonly #committing: Transaction
  readonly #aborting: Transaction

  private constructor(
    options: SenderOptions,
    connection: BrokerConnection,
    transactions: [Transaction, Transaction],
  ) {
    this.#options = options
    this.#connection = connection
    ;[this.#committing, this.#aborting] = transactions
  }

  static async open(options: SenderOptions): Promise<Sender> {
    const connection = await BrokerConnection.open(options.broker)
    const begin = async (name: string): Promise<Transaction> => {
      const id = `${options.topic}-${name}`
      return { id, producer: await connection.initProducer(id), sequences: new Map() }
    }
    return new Sender(options, connection, [await begin('committing'), await begin('aborting')])
  }

  close(): void {
    this.#connection.close()
  }

  async send(layout: Layout): Promise<void> {
    const { transaction, partition } = layout
    const pieces = piecesOf(layout, this.#options.recordOf)
    // A transaction without records would stay open until its timeout invalidates the producer's epoch.
    const used = [
      ...(transaction === 'commit' || transaction === 'interleaved' ? [this.#committing] : []),
      ...(transaction === 'abort' || transaction === 'interleaved' ? [this.#aborting] : []),
    ].slice(0, pieces.length)
    for (const one of used) await this.#begin(one, partition)
    const stored = new Map<Transaction | null, StoredFuzzRecord[]>()
    for (const [at, records] of pieces.entries()) {
      const within = used[at % Math.max(1, used.length)] ?? null
      const into = stored.get(within) ?? []
      stored.set(within, into)
      await this.#write(records, layout, within, into)
    }
    for (const one of used.toReversed()) {
      const end = one === this.#aborting ? 'abort' : 'commit'
      await this.#connection.endTransaction(one.id, one.producer, end)
    }
    const { onSent, onAborted } = this.#options
    for (const [within, all] of stored) {
      const tell = within === this.#aborting ? onAborted : onSent
      for (const { record, offset } of all) tell(record, partition, offset)
    }
  }

  async #begin({ id, producer }: Transaction, partition: number): Promise<void> {
    const partitions = { topic: this.#options.topic, partitions: [partition] }
    await this.#connection.addPartitions(id, producer, partitions)
  }

  /** Writes the records as one batch, or in halves if the batch is too large. */
  async #write(
    records: readonly FuzzRecord[],
    layout: Layout,
    within: Transaction | null,
    stored: StoredFuzzRecord[],
  ): Promise<void> {
    const { topic, maxBatchBytes, onRefused } = this.#options
    const { codec, partition } = layout
    const batch = encodeBatch(records, { codec, transaction: within && stateOf(within, partition) })
    if (batch.length > maxBatchBytes && records.length > 1) {
      const middle = Math.ceil(records.length / 2)
      await this.#write(records.slice(0, middle), layout, within, stored)
      await this.#write(records.slice(middle), layout, within, stored)
      return
    }
    const [produced] = await this.#connection.produce(topic, [{ partition, batch }], within?.id ?? null)
    if (produced?.kind !== 'stored') {
      for (const record of records) onRefused(record, produced?.code ?? -1)
      return
    }
    within?.sequences.set(partition, (within.sequences.get(partition) ?? 0) + records.length)
    records.forEach((record, at) => stored.push({ record, offset: produced.baseOffset + BigInt(at) }))
  }
}

function stateOf({ producer, sequences }: Transaction, partition: number): ProducerState {
  return { ...producer, sequence: sequences.get(partition) ?? 0 }
}

/** Records that must be alone get their own batch. Interleaved records alternate in small batches. */
function piecesOf(
  { numbers, transaction }: Layout,
  recordOf: (number: number) => FuzzRecord,
): FuzzRecord[][] {
  const pieces: FuzzRecord[][] = []
  let bytes = 0
  for (const number of numbers) {
    const record = recordOf(number)
    const size = sizeOf(record)
    const last = pieces.at(-1)
    const startsNew =
      last === undefined ||
      record.isAlone ||
      last[0]?.isAlone === true ||
      bytes + size > MAX_PIECE_BYTES ||
      (transaction === 'interleaved' && last.length === INTERLEAVED)
    if (startsNew) pieces.push([record])
    else last.push(record)
    bytes = startsNew ? size : bytes + size
  }
  return pieces
}

const MAX_PIECE_BYTES = 900_000
const INTERLEAVED = 2

function sizeOf({ key, value, headers }: FuzzRecord): number {
  const own = (key?.length ?? 0) + (value?.length ?? 0)
  return headers.reduce((sum, [name, one]) => sum + name.length + (one?.length ?? 0), own)
}
