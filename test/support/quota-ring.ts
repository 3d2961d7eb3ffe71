/** Runs the Redis script like another program would: with EVAL and times in microseconds. */
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll } from 'vitest'
import { startRedis, type LocalRedis } from '../../dev/stack/redis.ts'
import { connectRedis, type RedisConnection } from '../../src/adapters/quota/connection.ts'
import { systemClock } from '../../src/adapters/system-clock.ts'

const SCRIPT = new URL('../../src/adapters/quota/reserve.lua', import.meta.url)
export const HOLD_MS = 1_025
/** By default, calls are made at their slots. */
const LATE_MS = 0
export const AHEAD_MS = 250

export interface Ask {
  readonly want?: number
  readonly burst?: number
  readonly limit?: number
  readonly jumpedIn?: number
  /** How late a call may be. */
  readonly lateMs?: number
  readonly moved?: readonly number[]
  /** Ring indexes of slots, with the times at which their calls were made. */
  readonly made?: readonly (readonly [ringIndex: number, atMs: number])[]
}

export interface Reserved {
  /** Redis's clock, in milliseconds. */
  readonly nowMs: number
  readonly limit: number
  readonly ringEpoch: number
  readonly retryAfterMs: number
  readonly firstRingIndex: number
  readonly slots: readonly number[]
  readonly moved: readonly number[]
}

export interface Asker {
  readonly ask: (ask?: Ask) => Promise<Reserved>
  /** A command on the key, which follows the command's name. */
  readonly onKey: (name: string, ...args: readonly string[]) => Promise<unknown>
}

let redis: LocalRedis
let client: RedisConnection
let script: string
let keys = 0

// The callers mostly wait, and each uses its own key.
beforeAll(async () => {
  redis = await startRedis()
  client = await connectRedis({ url: () => redis.url, ca: () => null, clock: systemClock })
  script = await readFile(SCRIPT, 'utf8')
})

afterAll(async () => {
  client.close()
  await redis.stop()
})

export function asker(): Asker {
  keys += 1
  const key = `checkresult:quota:${keys}`
  return {
    onKey: async (name, ...args) => client.send([name, key, ...args]),
    ask: async ({ lateMs = LATE_MS, moved = [], made = [], ...ask } = {}) => {
      const { want = 1, burst = 1, limit = 10, jumpedIn = '' } = ask
      const pairs = [
        ...moved.map((ringIndex) => [ringIndex, 0]),
        ...made.map(([ringIndex, ms]) => [ringIndex, ms * 1_000]),
      ]
      const bounds = [want, HOLD_MS * 1_000, lateMs * 1_000, burst, limit, jumpedIn]
      const args = [...bounds, ...pairs.flat()].map(String)
      const reply = await client.send(['EVAL', script, '1', key, ...args])
      const [now, found, ringEpoch, again, firstRingIndex, slots, ringIndexes] = reply as [
        ...[number, number, number, number, number],
        number[],
        number[],
      ]
      const [nowMs = 0, retryAfterMs = 0] = inMs([now, again])
      return {
        nowMs,
        limit: found,
        ringEpoch,
        retryAfterMs,
        firstRingIndex,
        slots: inMs(slots),
        moved: inMs(ringIndexes),
      }
    },
  }
}

function inMs(times: readonly number[]): number[] {
  return times.map((time) => time / 1_000)
}

/** A ring that has been in use for longer than the wait for earlier calls. */
export async function running(): Promise<Asker> {
  const all = asker()
  const { retryAfterMs } = await all.ask()
  await delay(retryAfterMs + AHEAD_MS + 10)
  return all
}

/** Takes all available slots for this long. */
export async function takeFor(
  ask: (ask?: Ask) => Promise<Reserved>,
  ms: number,
  options: Ask = {},
): Promise<number[]> {
  const slots: number[] = []
  const endMs = performance.now() + ms
  while (performance.now() < endMs) {
    const reserved = await ask(options)
    slots.push(...reserved.slots)
    await delay(reserved.slots.length > 0 ? 0 : Math.max(1, reserved.retryAfterMs))
  }
  return slots
}
