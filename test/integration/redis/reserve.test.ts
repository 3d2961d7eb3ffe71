/** Tests the Redis script as other programs would use it. */
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { maxWithin } from '../../support/redis.ts'
import { AHEAD_MS, asker, HOLD_MS, running, takeFor } from '../../support/quota-ring.ts'

function gaps(slots: readonly number[]): number[] {
  return slots.slice(1).map((slot, at) => slot - (slots[at] ?? slot))
}

describe('slots', () => {
  test.concurrent('start after all calls that an emptied Redis may have forgotten', async () => {
    const { ask } = asker()
    const { slots, retryAfterMs: againMs } = await ask()
    expect(slots).toEqual([])
    expect(againMs).toBe(HOLD_MS)
    await delay(againMs + 2)
    const later = await ask()
    expect((later.slots[0] ?? 0) - later.nowMs).toBeGreaterThan(AHEAD_MS - 100)
  })

  test.concurrent('are spaced evenly by the limit', async () => {
    const { ask } = await running()
    const { slots } = await ask({ want: 3 })
    expect(gaps(slots)).toEqual([102.5, 102.5])
  })

  test.concurrent('are immediate after idling, up to the burst', async () => {
    const { ask } = await running()
    const { slots, nowMs } = await ask({ want: 5, burst: 3 })
    expect(slots.slice(0, 3)).toEqual([nowMs, nowMs, nowMs])
    expect(gaps(slots.slice(2))).toEqual([102.5, 102.5])
  })

  test.concurrent('are spaced evenly again after a burst', async () => {
    const { ask } = await running()
    const slots = await takeFor(ask, 2_500, { burst: 5 })
    const before = slots[0] ?? 0
    const later = slots.filter((slot) => slot > before + 1.9 * HOLD_MS)
    expect(Math.min(...gaps(later))).toBeGreaterThan(100)
  })

  test.concurrent('never exceed the limit in any second, for any callers and request sizes', async () => {
    const { ask } = await running()
    const slots = await Promise.all(
      [1, 3, 7].map((want) => takeFor(ask, 3_000, { want, burst: want, limit: 10 })),
    )
    expect(maxWithin(slots.flat(), HOLD_MS)).toBe(10)
    expect(slots.flat().length).toBeGreaterThanOrEqual(28)
  })

  test.concurrent('are at most a quarter of a second ahead', async () => {
    const { ask } = await running()
    const { slots, nowMs, retryAfterMs: againMs } = await ask({ want: 50 })
    expect(slots.at(-1)).toBeLessThanOrEqual(nowMs + AHEAD_MS)
    expect(againMs).toBeGreaterThan(0)
    expect((await ask({ want: 50 })).slots).toEqual([])
  })
})

describe('the limit', () => {
  test.concurrent('is that of the key, or of the first caller if the key has none', async () => {
    const { ask, onKey } = asker()
    expect((await ask({ limit: 10 })).limit).toBe(10)
    expect((await ask({ limit: 99 })).limit).toBe(10)
    await onKey('HSET', 'limit', '30')
    expect((await ask({ limit: 99 })).limit).toBe(30)
  })

  test.concurrent('may be set before the first request', async () => {
    const { ask, onKey } = asker()
    await onKey('HSET', 'limit', '30')
    expect(await ask({ limit: 10 })).toMatchObject({ limit: 30, slots: [], retryAfterMs: HOLD_MS })
  })

  test.concurrent('counts earlier calls when it is lowered', async () => {
    const { ask, onKey } = await running()
    const before = await takeFor(ask, 1_500, { want: 5 })
    await onKey('HSET', 'limit', '4')
    const after = await takeFor(ask, 2_500, { want: 5 })
    const last = before.at(-1) ?? 0
    expect(after[0]).toBeGreaterThanOrEqual((before.at(-4) ?? 0) + HOLD_MS)
    expect(
      maxWithin([...before.filter((slot) => slot >= last - HOLD_MS), ...after], HOLD_MS),
    ).toBeLessThanOrEqual(10)
    expect(maxWithin(after, HOLD_MS)).toBe(4)
  })

  test.concurrent('applies at once when it is raised, and no second exceeds it', async () => {
    const { ask, onKey } = await running()
    const before = await takeFor(ask, 1_500)
    await onKey('HSET', 'limit', '20')
    const after = await takeFor(ask, 2_000, { want: 5 })
    const raisedMs = before.at(-1) ?? 0
    expect(after.filter((slot) => slot < raisedMs + 600).length).toBeGreaterThanOrEqual(8)
    expect(maxWithin([...before, ...after], HOLD_MS)).toBe(20)
  })

  test.concurrent('still counts earlier calls when it is lowered and raised again', async () => {
    const { ask, onKey } = await running()
    const slots = await takeFor(ask, 1_200, { want: 5 })
    await onKey('HSET', 'limit', '2')
    slots.push(...(await takeFor(ask, 100, { want: 5 })))
    await onKey('HSET', 'limit', '10')
    slots.push(...(await takeFor(ask, 1_500, { want: 10, burst: 10 })))
    expect(maxWithin(slots, HOLD_MS)).toBeLessThanOrEqual(10)
  })

  test.concurrent.each(['no number', '0', '2.5'])('of "%s" is rejected', async (limit) => {
    const { ask, onKey } = asker()
    await onKey('HSET', 'limit', limit)
    await expect(ask()).rejects.toThrow('BADLIMIT')
  })
})

describe('a key that is emptied', () => {
  test.concurrent('grants no slots until earlier calls are over', async () => {
    const { ask, onKey } = await running()
    const before = await takeFor(ask, 1_000, { want: 5 })
    await onKey('DEL')
    const after = await takeFor(ask, 2_000, { want: 5, burst: 10 })
    expect(after.length).toBeGreaterThan(0)
    expect(after[0]).toBeGreaterThanOrEqual((before.at(-1) ?? 0) + HOLD_MS)
  })

  test.concurrent('continues the slot numbers, so that old and new slots cannot be confused', async () => {
    const { ask, onKey } = await running()
    const before = await ask()
    await onKey('DEL')
    expect((await ask()).firstRingIndex).toBeGreaterThan(before.firstRingIndex)
  })

  test.concurrent('expires a week after its last use', async () => {
    const { ask, onKey } = asker()
    await ask()
    expect(await onKey('TTL')).toBe(604_800)
  })
})

describe("when Redis's clock is set back", () => {
  test.concurrent('by a little, slots continue from the last one', async () => {
    const { ask, onKey } = await running()
    const { slots, nowMs } = await ask()
    await onKey('HSET', 'clock', String((nowMs + 200) * 1_000))
    const later = await ask()
    expect(later.slots[0]).toBeGreaterThanOrEqual(Math.max(nowMs + 200, slots[0] ?? 0))
    expect(later.ringEpoch).toBe((await ask()).ringEpoch)
  })

  test.concurrent('by a lot, slots restart instead of waiting for the old time', async () => {
    const { ask, onKey } = await running()
    const { ringEpoch, nowMs } = await ask()
    const hour = String((nowMs + 3_600_000) * 1_000)
    await onKey('HSET', 'clock', hour, 'last', hour, 'pace', hour)
    const later = await ask()
    expect(later.ringEpoch).toBeGreaterThan(ringEpoch)
    expect(later.retryAfterMs).toBe(HOLD_MS)
  })
})

test.concurrent('a caller that saw the clock jump resets the ring once', async () => {
  const { ask } = await running()
  const { ringEpoch } = await ask()
  const reset = await ask({ jumpedIn: ringEpoch })
  expect(reset).toMatchObject({ slots: [], retryAfterMs: HOLD_MS })
  expect(reset.ringEpoch).toBeGreaterThan(ringEpoch)
  expect((await ask({ jumpedIn: ringEpoch })).ringEpoch).toBe(reset.ringEpoch)
})

describe('a slot that has passed', () => {
  test.concurrent('can be used late and then occupies its ring position for longer', async () => {
    const { ask } = await running()
    const { slots, firstRingIndex } = await ask()
    await delay(60)
    const later = await ask({ want: 0, moved: [firstRingIndex] })
    expect(later.moved).toEqual([later.nowMs])
    const others = await takeFor(ask, 1_500, { want: 10, burst: 10 })
    const made = [later.moved[0] ?? 0, ...others]
    expect(maxWithin(made, HOLD_MS)).toBeLessThanOrEqual(10)
    expect(others.filter((slot) => slot < (slots[0] ?? 0) + HOLD_MS).length).toBe(9)
  })

  test.concurrent('cannot be used if its ring position has been given to another call', async () => {
    const { ask } = await running()
    const { firstRingIndex, slots } = await ask({ want: 10, burst: 10 })
    await delay(HOLD_MS - 150)
    const next = await ask({ want: 1, burst: 10 })
    expect(next.slots).toEqual([(slots[0] ?? 0) + HOLD_MS])
    expect((await ask({ want: 0, moved: [firstRingIndex] })).moved).toEqual([0])
  })

  test.concurrent('cannot be used if its ring has been reset', async () => {
    const { ask, onKey } = await running()
    const { firstRingIndex } = await ask()
    await onKey('DEL')
    expect((await ask({ want: 0, moved: [firstRingIndex] })).moved).toEqual([0])
  })
})

test.concurrent('a key with another type of value is rejected and not changed', async () => {
  const { ask, onKey } = asker()
  await onKey('SET', 'another value')
  await expect(ask()).rejects.toThrow('WRONGTYPE')
  expect(await onKey('GET')).toBe('another value')
})
