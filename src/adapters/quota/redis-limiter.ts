/**
 * The quota where it is counted in Redis: permits are slots of its ring (`reserve.lua`), fetched some ahead while enough
 * calls wait for them. Nobody waiting: no command, no timer. Redis not to be had: no permits, never a guess; connecting
 * goes on with back-off, and permits with it.
 *
 * The slots are this replica's, not a waiter's: when the time of one comes, the queue gives it to whoever is first then.
 */
import type { Config } from '../../config.ts'
import type { Secret } from '../../config/secret.ts'
import { QuotaSlots, type SlotRequest } from '../../core/quota-slots.ts'
import { OperatorError } from '../../core/safe-error.ts'
import type { Clock, Log, Metrics, RateLimiter } from '../../ports.ts'
import { renewedSecret } from '../renewed-secret.ts'
import { connectRedis, type RedisAddress, type RedisConnection } from './connection.ts'
import { explain } from './errors.ts'
import { reserve } from './reserve.ts'

export interface RedisLimiterOptions {
  readonly url: Secret
  readonly ca: Secret | null
  readonly key: string
  /** CHECKRESULT_QPS: the limit, where the key has none yet. */
  readonly limit: number
  readonly burst: number
  readonly guardMs: number
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'quota' | 'slotsWasted'>
  readonly random?: () => number
}

const BACK_OFF_MS = { first: 200, max: 5_000 } as const

/** Null where the settings ask for another, or for none. */
export function createRedisLimiter(
  { checkresult, quota }: Pick<Config, 'checkresult' | 'quota'>,
  world: Pick<RedisLimiterOptions, 'clock' | 'log' | 'metrics'>,
): RedisLimiter | null {
  const { qps, burst, qpsGuardMs } = checkresult
  if (quota.mode !== 'redis' || qps === 'unlimited') return null
  return new RedisLimiter({ ...world, ...quota, limit: qps, burst: burst ?? 1, guardMs: qpsGuardMs })
}

function redisAddress(url: Secret, ca: Secret | null, log: Pick<Log, 'warn'>): RedisAddress {
  const current = renewedSecret(url, 'REDIS_URL', log)
  return { url: current, ca: () => ca?.reveal() ?? null }
}

export class RedisLimiter implements RateLimiter {
  readonly #options: RedisLimiterOptions
  readonly #address: RedisAddress
  readonly #slots: QuotaSlots
  readonly #tried: Promise<void>
  #connection: RedisConnection | null = null
  /** Null before the first attempt too: who starts waits for `ready`. */
  #unavailable: string | null = null
  #asking = false
  /** As many as wait for permits, while that is still to be asked for. */
  #waiting: number | null = null
  #stopped = false
  #backOffMs: number = BACK_OFF_MS.first
  #cancelTimer: () => void = () => undefined
  /** Of the key; null before it is known. */
  #limit: number | null = null
  #tell: () => void = () => undefined

  /** Begins to connect. */
  constructor(options: RedisLimiterOptions) {
    const { guardMs, burst, metrics, random = Math.random } = options
    this.#options = options
    this.#address = redisAddress(options.url, options.ca, options.log)
    this.#slots = new QuotaSlots({ guardMs, burst, random, onWasted: (slots) => metrics.slotsWasted(slots) })
    this.#tried = this.#connect()
  }

  get limit(): number {
    return this.#limit ?? this.#options.limit
  }

  get unavailable(): string | null {
    return this.#unavailable
  }

  onAvailable(listener: () => void): void {
    this.#tell = listener
  }

  take(nowMs: number, waiting: number): number {
    const waitMs = this.#slots.take(nowMs)
    this.#askSoon(waitMs === 0 ? waiting - 1 : waiting)
    return waitMs
  }

  confirm(takenMs: number, nowMs: number): boolean {
    return this.#slots.confirm(takenMs, nowMs)
  }

  throttled(): void {
    // Who backs off stands before it.
  }

  /** Rejects with a message while Redis is not to be had. */
  async ready(): Promise<void> {
    await this.#tried
    if (this.#unavailable !== null) throw new OperatorError(this.#unavailable)
  }

  stop(): void {
    this.#stopped = true
    this.#cancelTimer()
    this.#connection?.close()
  }

  /** Those who come in the same turn of the event loop are asked for together: else the second waits for two round trips. */
  #askSoon(waiting: number): void {
    if (this.#waiting === null) process.nextTick(() => this.#ask())
    this.#waiting = waiting
  }

  #ask(): void {
    const waiting = this.#waiting ?? 0
    this.#waiting = null
    const connection = this.#connection
    if (connection === null || this.#unavailable !== null || this.#asking) return
    const request = this.#slots.request(this.#options.clock.monotonicMs(), waiting)
    if (request === null) return
    this.#asking = true
    void this.#exchange(connection, request)
  }

  /** Never rejects. */
  async #exchange(connection: RedisConnection, request: SlotRequest): Promise<void> {
    try {
      const { answer, times } = await reserve(connection, request, this.#options)
      this.#slots.answered(request, answer, times)
      this.#noteLimit(answer.limit)
    } catch (error) {
      this.#slots.unanswered(request)
      this.#lost(connection, error)
    }
    this.#asking = false
    this.#tell()
  }

  /** Never rejects. */
  async #connect(): Promise<void> {
    let connection: RedisConnection | null = null
    try {
      connection = await connectRedis({
        ...this.#address,
        clock: this.#options.clock,
        // Before that the look fails by itself.
        onLost: (error) => (connection === null ? undefined : this.#lost(connection, error)),
      })
      if (this.#stopped) return connection.close()
      this.#connection = connection
      const connectedMs = this.#options.clock.monotonicMs()
      const { answer, times } = await reserve(connection, this.#slots.look(), this.#options)
      this.#slots.connected(connectedMs, answer, times)
      this.#noteLimit(answer.limit)
      this.#backOffMs = BACK_OFF_MS.first
      this.#unavailable = null
      this.#tell()
    } catch (error) {
      this.#lost(connection, error)
    }
  }

  /** Told of the same connection again, it has nothing to do. */
  #lost(connection: RedisConnection | null, error: unknown): void {
    if (this.#stopped || this.#connection !== connection) return
    connection?.close()
    this.#connection = null
    this.#slots.disconnected()
    const message = explain(error)
    // The circuit breaker says it when it opens, and whoever waits for `ready` at the start.
    if (this.#unavailable !== null && !isSameAdvice(message, this.#unavailable)) {
      this.#options.log.warn(message)
    }
    this.#unavailable = message
    const { clock, random = Math.random } = this.#options
    this.#cancelTimer = clock.after(this.#backOffMs * (0.5 + random() / 2), () => void this.#connect())
    this.#backOffMs = Math.min(this.#backOffMs * 2, BACK_OFF_MS.max)
    this.#tell()
  }

  #noteLimit(limit: number): void {
    if (limit === this.#limit) return
    const { log, metrics } = this.#options
    if (this.#limit !== null) log.info('The limit in Redis was changed.', { count: limit })
    else if (limit !== this.#options.limit) {
      log.warn('The limit in Redis is another than CHECKRESULT_QPS, and counts; `quota set` changes it.', {
        count: limit,
      })
    }
    this.#limit = limit
    metrics.quota(limit, limit)
  }
}

/** Trying again brings another kind of error at times, which is of no news. */
function isSameAdvice(one: string, other: string): boolean {
  const [advice, known] = [one, other].map((message) => message.replace(/ \(\w+\)$/, ''))
  return advice === known
}
