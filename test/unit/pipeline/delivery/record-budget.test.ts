import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RecordBudget, type LaneShare } from '../../../../src/pipeline/delivery/record-budget.ts'

function sharesOf(budget: RecordBudget, count: number) {
  const paused = new Set<number>()
  const shares = Array.from({ length: count }, (_, lane) =>
    budget.share({ pause: () => void paused.add(lane), resume: () => void paused.delete(lane) }),
  )
  return { shares, paused }
}

/** Every lane that is not paused takes a few more records, in turn, until all are paused. */
function fill(shares: readonly LaneShare[], paused: ReadonlySet<number>): number[] {
  const held = shares.map(() => 0)
  for (let turn = 0; turn < 10_000 && paused.size < shares.length; turn += 1) {
    const lane = turn % shares.length
    if (paused.has(lane)) continue
    held[lane] = (held[lane] ?? 0) + 4
    shares[lane]?.update({ records: held[lane] ?? 0, bytes: 0 })
  }
  return held
}

describe('the record budget', () => {
  test('gives a single busy lane 256 records', () => {
    const { shares, paused } = sharesOf(new RecordBudget(), 1)
    expect(fill(shares, paused)).toEqual([256])
  })

  test.each([8, 64, 256])('limits what %d busy lanes hold in total and starves none of them', (count) => {
    const { shares, paused } = sharesOf(new RecordBudget(), count)
    const held = fill(shares, paused)
    expect(held.reduce((sum, records) => sum + records, 0)).toBeLessThan(2_304 + 8 * count)
    expect(Math.min(...held)).toBeGreaterThanOrEqual(8)
  })

  test('pauses a lane that holds many bytes in few records', () => {
    const { shares, paused } = sharesOf(new RecordBudget(), 2)
    shares[0]?.update({ records: 1, bytes: 2 * 1024 * 1024 })
    expect([...paused]).toEqual([0])
  })

  test('does not pause a lane with a few small records while others hold everything', () => {
    const { shares, paused } = sharesOf(new RecordBudget({ records: 100, bytes: 1_000 }), 2)
    shares[0]?.update({ records: 500, bytes: 5_000_000 })
    shares[1]?.update({ records: 7, bytes: 1_000 })
    expect([...paused]).toEqual([0])
  })

  test('resumes a lane when another one frees its records', () => {
    const { shares, paused } = sharesOf(new RecordBudget({ records: 100, bytes: 1_000_000 }), 2)
    shares[0]?.update({ records: 90, bytes: 0 })
    shares[1]?.update({ records: 20, bytes: 0 })
    expect([...paused]).toEqual([0, 1])
    shares[0]?.release()
    expect([...paused]).toEqual([])
  })

  test('resumes a lane below three quarters of its limit, not after every record', () => {
    const { shares, paused } = sharesOf(new RecordBudget(), 1)
    shares[0]?.update({ records: 256, bytes: 0 })
    shares[0]?.update({ records: 193, bytes: 0 })
    expect(paused.size).toBe(1)
    shares[0]?.update({ records: 192, bytes: 0 })
    expect(paused.size).toBe(0)
  })

  test('is fully available again after all lanes are closed', () => {
    const amount = fc.record({ records: fc.nat(300), bytes: fc.nat(3_000_000) })
    const steps = fc.array(fc.tuple(fc.nat(9), amount), { maxLength: 200 })
    fc.assert(
      fc.property(steps, (changes) => {
        const budget = new RecordBudget()
        const { shares, paused } = sharesOf(budget, 10)
        for (const [lane, holds] of changes) shares[lane]?.update(holds)
        for (const share of shares) share.release()
        expect(budget.limit).toEqual({ records: 256, bytes: 2 * 1024 * 1024 })
        expect(paused.size).toBe(0)
      }),
    )
  })
})
