/**
 * Decides which records share a batch, its partition, and its kind of transaction. The decision depends only on the
 * seed.
 */
import { Dice } from './dice.ts'
import { CODECS, type Codec } from './record-batch.ts'

/** `interleaved`: every other piece belongs to a second transaction, which is aborted. */
export const TRANSACTIONS = ['none', 'commit', 'abort', 'interleaved'] as const
export type TransactionKind = (typeof TRANSACTIONS)[number]

export interface Layout {
  readonly numbers: readonly number[]
  readonly partition: number
  readonly codec: Codec
  readonly transaction: TransactionKind
}

export interface LayoutOptions {
  readonly seed: number
  readonly records: number
  readonly partitions: number
  /** Only these numbers, in the same batches as in a full run. Null for all. */
  readonly only: ReadonlySet<number> | null
}

const FEW = 10
const MANY = 60

export function* layouts({ seed, records, partitions, only }: LayoutOptions): Generator<Layout> {
  for (let batch = 0, start = 0; start < records; batch += 1) {
    const dice = new Dice('batch', seed, batch)
    const size = sizeOf(dice)
    const all = Array.from({ length: size }, (_, at) => start + at)
    const numbers = all.filter((number) => (only === null ? number < records : only.has(number)))
    const layout: Layout = {
      numbers,
      partition: dice.below(partitions),
      codec: dice.pick(CODECS),
      transaction: dice.weighted({ none: 85, commit: 8, abort: 3, interleaved: 4 }),
    }
    if (numbers.length > 0) yield layout
    start += size
  }
}

function sizeOf(dice: Dice): number {
  switch (dice.weighted({ one: 3, few: 5, many: 2 })) {
    case 'one':
      return 1
    case 'few':
      return dice.between(2, FEW)
    case 'many':
      return dice.between(FEW + 1, MANY)
  }
}
