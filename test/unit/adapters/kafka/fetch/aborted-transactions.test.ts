import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeRecords, type DecodeOptions } from '../../../../../src/adapters/kafka/fetch/decode-records.ts'
import { decodeOptions, storedBatch, textRecord } from '../../../../support/batches.ts'

type Step = readonly [producer: number, what: 'write' | 'abort' | 'commit']

/** A partition as a broker returns it after these steps, and the values that are committed. */
async function partitionOf(steps: readonly Step[]) {
  const batches: Buffer[] = []
  const aborted: DecodeOptions['aborted'][number][] = []
  const open = new Map<number, bigint[]>()
  const committed: bigint[] = []
  for (const [producer, what] of steps) {
    const offset = BigInt(batches.length)
    const written = open.get(producer) ?? []
    if (what !== 'write' && written.length === 0) continue
    const transaction = { producerId: BigInt(producer), producerEpoch: 0, firstSequence: 0 }
    const marker = { ...textRecord(''), key: Buffer.from([0, 0, 0, what === 'commit' ? 1 : 0]) }
    batches.push(
      what === 'write'
        ? await storedBatch(offset, [textRecord('x')], { transaction })
        : await storedBatch(offset, [marker], { transaction, control: true }),
    )
    if (what === 'write') {
      open.set(producer, [...written, offset])
      continue
    }
    open.delete(producer)
    if (what === 'commit') committed.push(...written)
    else aborted.push({ producerId: BigInt(producer), firstOffset: written[0] ?? 0n })
  }
  // Records of open transactions are above the last stable offset, so no response contains them.
  const stable = Math.min(batches.length, ...[...open.values()].map(([first]) => Number(first)))
  return {
    bytes: Buffer.concat(batches.slice(0, stable)),
    aborted: aborted.filter(({ firstOffset }) => firstOffset < stable),
    committed: committed.filter((offset) => offset < stable).toSorted((left, right) => Number(left - right)),
    stable: BigInt(stable),
  }
}

describe('aborted transactions and control markers', () => {
  test('are skipped for any overlap of transactions', async () => {
    const step = fc.tuple(fc.nat(3), fc.constantFrom('write', 'write', 'abort', 'commit'))
    await fc.assert(
      fc.asyncProperty(fc.array(step as fc.Arbitrary<Step>, { maxLength: 40 }), async (steps) => {
        const { bytes, aborted, committed, stable } = await partitionOf(steps)
        const { records, nextOffset } = await decodeRecords(bytes, decodeOptions({ aborted }))
        expect(records.map(({ offset }) => offset)).toEqual(committed)
        expect(nextOffset).toBe(stable)
      }),
      { numRuns: 300 },
    )
  })

  test('are skipped in a response that starts inside a transaction', async () => {
    const steps: Step[] = [
      [0, 'write'],
      [1, 'write'],
      [0, 'abort'],
      [0, 'write'],
      [1, 'abort'],
      [0, 'commit'],
    ]
    const { bytes, aborted } = await partitionOf(steps)
    const { records } = await decodeRecords(bytes, decodeOptions({ aborted, from: 3n }))
    expect(records.map(({ offset }) => offset)).toEqual([3n])
  })
})
