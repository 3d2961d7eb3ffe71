/** Reads and changes the limit in the Redis key that `reserve.lua` uses. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Secret } from '../../config/secret.ts'
import { AHEAD_MS } from '../../core/quota/quota-slots.ts'
import { OperatorError } from '../../core/safe-error.ts'
import { systemClock } from '../system-clock.ts'
import { connectRedis } from './connection.ts'
import { explain } from './errors.ts'

export interface QuotaKey {
  /** Null if the key does not exist. */
  read(): Promise<{ readonly limit: number; readonly taken: number } | null>
  /** Resolves when the limit applies to every second that begins afterwards. */
  setLimit(limit: number): Promise<void>
  close(): void
}

export interface QuotaKeyOptions {
  readonly url: Secret
  readonly ca: Secret | null
  readonly key: string
}

/** How long the script keeps an unused key. */
const KEPT_MS = 604_800_000

/** This function and the methods of its result reject with an {@link OperatorError}. */
export async function openQuotaKey({ url, ca, key }: QuotaKeyOptions): Promise<QuotaKey> {
  const connection = await orOperatorError(
    connectRedis({ url: () => url.reveal(), ca: () => ca?.reveal() ?? null, clock: systemClock }),
  )
  const send = async (...command: string[]): Promise<unknown> => orOperatorError(connection.send(command))
  return {
    read: async () => {
      const [time, fields] = [await send('TIME'), await send('HGETALL', key)]
      return fieldsOf(fields, microseconds(time))
    },
    setLimit: async (limit) => {
      await send('HSET', key, 'limit', String(limit))
      await send('PEXPIRE', key, String(KEPT_MS))
      // Slots granted under the old limit are used until then.
      await delay(2 * AHEAD_MS)
    },
    close: () => connection.close(),
  }
}

async function orOperatorError<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw new OperatorError(explain(error))
  }
}

function microseconds(time: unknown): number {
  const [seconds, rest] = Array.isArray(time) ? time.map(Number) : []
  return (seconds ?? 0) * 1_000_000 + (rest ?? 0)
}

/** The slots of the ring have numeric field names, and values that begin with the time when they are free again. */
function fieldsOf(reply: unknown, nowUs: number): { limit: number; taken: number } | null {
  const texts = Array.isArray(reply) ? reply.map(String) : []
  const fields = texts.flatMap((name, at) => (at % 2 === 0 ? [[name, texts[at + 1] ?? ''] as const] : []))
  const limit = Number(new Map(fields).get('limit'))
  if (!Number.isInteger(limit)) return null
  const isTaken = ([name, value]: readonly [string, string]): boolean =>
    /^\d+$/.test(name) && Number.parseInt(value, 10) > nowUs
  return { limit, taken: Math.min(limit, fields.filter(isTaken).length) }
}
