/** Calls `reserve.lua`. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { AnswerTimes, SlotAnswer, SlotRequest } from '../../core/quota/quota-slots.ts'
import { OperatorError } from '../../core/safe-error.ts'
import type { Clock } from '../../ports.ts'
import type { RedisConnection } from './connection.ts'
import { isUnknownScript } from './errors.ts'

const SCRIPT = readFileSync(new URL('reserve.lua', import.meta.url), 'utf8')
const SHA1 = createHash('sha1').update(SCRIPT).digest('hex')

export interface ReserveOptions {
  readonly key: string
  readonly burst: number
  /** The initial limit if the key has none. */
  readonly limit: number
  readonly clock: Pick<Clock, 'monotonicMs'>
}

export interface Reserved {
  readonly answer: SlotAnswer
  readonly times: AnswerTimes
}

/** Rejects like {@link RedisConnection.send}. */
export async function reserve(
  connection: RedisConnection,
  request: SlotRequest,
  { key, burst, limit, clock }: ReserveOptions,
): Promise<Reserved> {
  const { want, holdMs, lateMs, jumpedIn, moved, made } = request
  const ringIndexes = [
    ...moved.flatMap((ringIndex) => [ringIndex, 0]),
    ...made.flatMap(({ ringIndex, atMs }) => [ringIndex, microseconds(atMs)]),
  ]
  const bounds = [want, microseconds(holdMs), microseconds(lateMs), burst, limit]
  const args = [...bounds, jumpedIn ?? '', ...ringIndexes].map(String)
  let askedMs = clock.monotonicMs()
  let reply: unknown
  try {
    reply = await connection.send(['EVALSHA', SHA1, '1', key, ...args])
  } catch (error) {
    if (!isUnknownScript(error)) throw error
    askedMs = clock.monotonicMs()
    reply = await connection.send(['EVAL', SCRIPT, '1', key, ...args])
  }
  return { answer: parse(reply), times: { askedMs, answeredMs: clock.monotonicMs() } }
}

function microseconds(ms: number): number {
  return Math.ceil(ms * 1_000)
}

function parse(reply: unknown): SlotAnswer {
  const parts: readonly unknown[] = Array.isArray(reply) ? reply : []
  const [now, limit, ringEpoch, retryMs, firstRingIndex, slots, moved] = parts
  return {
    nowMs: number(now) / 1_000,
    limit: number(limit),
    ringEpoch: number(ringEpoch),
    retryAfterMs: number(retryMs) / 1_000,
    firstRingIndex: number(firstRingIndex),
    slotsMs: numbers(slots).map((us) => us / 1_000),
    movedMs: numbers(moved).map((us) => us / 1_000),
  }
}

function numbers(value: unknown): number[] {
  return Array.isArray(value) ? value.map(number) : []
}

function number(value: unknown): number {
  if (typeof value !== 'number') throw new OperatorError('The Redis script returned an unexpected reply.')
  return value
}
