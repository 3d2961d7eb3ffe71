/** Tests the Redis script with calls that are made later than their slots. */
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { AHEAD_MS, HOLD_MS, running } from '../../support/quota-ring.ts'

describe('a call that may be late', () => {
  const lateMs = 100

  test.concurrent('counts from the last possible moment until its actual time is reported', async () => {
    const { ask } = await running()
    const { slots } = await ask({ lateMs, want: 10, burst: 10 })
    await delay(HOLD_MS + lateMs - AHEAD_MS + 10)
    expect((await ask({ lateMs, burst: 10 })).slots).toEqual([(slots[0] ?? 0) + HOLD_MS + lateMs])
  })

  test.concurrent(
    'counts from its actual time once reported, and a second report does not extend it',
    async () => {
      const { ask } = await running()
      const { slots, firstRingIndex } = await ask({ lateMs, want: 10, burst: 10 })
      const [slotMs = 0] = slots
      await ask({ want: 0, made: [[firstRingIndex, slotMs + 30]] })
      await ask({ want: 0, made: [[firstRingIndex, slotMs + 90]] })
      await delay(HOLD_MS + lateMs - AHEAD_MS + 10)
      expect((await ask({ lateMs, burst: 10 })).slots).toEqual([slotMs + 30 + HOLD_MS])
    },
  )

  test.concurrent('delays only the call that reuses its slot', async () => {
    const { ask } = await running()
    const { slots, firstRingIndex } = await ask({ lateMs, want: 10, burst: 10 })
    const delays = [80, ...Array.from({ length: 9 }, () => 0)]
    const made = slots.map((slot, at): [number, number] => [firstRingIndex + at, slot + (delays[at] ?? 0)])
    await ask({ want: 0, made })
    await delay(HOLD_MS - AHEAD_MS + 150)
    const later = await ask({ lateMs, want: 2, burst: 10 })
    expect(later.slots[0]).toBe((slots[0] ?? 0) + 80 + HOLD_MS)
    expect(later.slots[1]).toBeLessThan((slots[1] ?? 0) + 80 + HOLD_MS + 103)
  })

  test.concurrent('still counts after the limit changes, and no second exceeds the limit', async () => {
    const { ask, onKey } = await running()
    const calls: { readonly limit: number; readonly atMs: number }[] = []
    let made: [number, number][] = []
    for (const limit of [10, 4, 13, 7, 10]) {
      await onKey('HSET', 'limit', String(limit))
      for (let round = 0; round < 60; round += 1) {
        const reserved = await ask({ want: 3, burst: 5, lateMs, made })
        // The first of three calls is late.
        made = reserved.slots.map((slot, at) => [
          reserved.firstRingIndex + at,
          slot + (at === 0 ? lateMs : 0),
        ])
        calls.push(...made.map(([, atMs]) => ({ limit, atMs })))
        await delay(25)
      }
    }
    const tooMany = calls.filter(({ atMs: fromMs }) => {
      const second = calls.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + HOLD_MS)
      return second.length > (second.at(-1)?.limit ?? 0)
    })
    expect(tooMany).toEqual([])
    expect(calls.length).toBeGreaterThan(50)
  })
})
