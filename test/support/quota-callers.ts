/**
 * Replicas that share a quota, reduced to the quota code: they make as many calls as they may and record when each
 * was sent.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { RedisLimiter } from '../../src/adapters/quota/redis-limiter.ts'
import { systemClock } from '../../src/adapters/system-clock.ts'
import { Secret } from '../../src/config/secret.ts'
import { PermitQueue } from '../../src/pipeline/calls/permit-queue.ts'
import { recordingLog, type RecordingLog } from './recording-log.ts'

export interface CallerOptions {
  readonly url: Secret | string
  readonly ca?: Secret
  readonly limit: number
  readonly burst?: number
  readonly guardMs?: number
  readonly key?: string
}

export interface Caller {
  readonly limiter: RedisLimiter
  readonly queue: PermitQueue
  readonly log: RecordingLog
  /** Monotonic time of the first byte of each call. */
  readonly calls: readonly number[]
  readonly wasted: () => number
  readonly limits: readonly number[]
  /** Keeps this many calls waiting: each finished call is followed by another. */
  work(waiting: number): void
  rest(): void
}

export function startCaller({
  url,
  ca,
  limit,
  burst = 1,
  guardMs = 20,
  key = 'checkresult:quota',
}: CallerOptions): Caller {
  const log = recordingLog()
  const calls: number[] = []
  const limits: number[] = []
  let wasted = 0
  const state = { isWorking: true }
  const clock = systemClock
  const metrics = {
    quota: (perSecond: number) => void limits.push(perSecond),
    slotsWasted: (slots: number) => void (wasted += slots),
    permitGranted: () => undefined,
    permitsWaiting: () => undefined,
    inFlight: () => undefined,
    circuit: () => undefined,
  }
  const limiter = new RedisLimiter({
    url: typeof url === 'string' ? new Secret(url) : url,
    ca: ca ?? null,
    key,
    limit,
    burst,
    guardMs,
    clock,
    log,
    metrics,
  })
  const queue = new PermitQueue({ limiter, maxInFlight: 1_000, clock, metrics, log })
  const call = async (): Promise<void> => {
    for (;;) {
      const ticket = await queue.acquire('fresh', 'input:0', () => state.isWorking)
      if (ticket === null) return
      const confirm = ticket.confirm()
      if (confirm) calls.push(clock.monotonicMs())
      await turn()
      ticket.release({ kind: confirm ? 'final' : 'unsent' })
    }
  }
  const rest = (): void => {
    state.isWorking = false
    queue.sweep()
  }
  onTestFinished(() => {
    rest()
    limiter.stop()
  })
  return {
    limiter,
    queue,
    log,
    calls,
    limits,
    wasted: () => wasted,
    work: (waiting) => {
      state.isWorking = true
      for (let worker = 0; worker < waiting; worker += 1) void call()
    },
    rest,
  }
}
