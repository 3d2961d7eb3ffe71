/**
 * The quota counted in Redis. Permits are slots of its ring (`reserve.lua`), some of which are fetched in advance
 * while enough calls wait for them. If no call waits, no command is sent and no timer runs. If Redis is
 * unavailable, no permits are granted, and the limiter keeps reconnecting with back-off.
 *
 * Slots belong to the replica and not to a waiting call: when the time of a slot comes, the queue gives it to the
 * first call in line.
 */
import type { Config } from '../../config.ts'
import type { Secret } from '../../config/secret.ts'
import { QuotaSlots, type SlotRequest } from '../../core/quota/quota-slots.ts'
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
  /** CHECKRESULT_QPS: the initial limit if the key has none yet. */
  readonly limit: number
  readonly burst: number
  readonly guardMs: number
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'quota' | 'slotsWasted'>
  readonly random?: () => number
}

const BACK_OFF_MS = { first: 200, max: 5_000 } as const

/** Null if the settings choose another quota mode or no limit. */
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
  /** Also null before the first attempt: callers wait for `ready` first. */
  #unavailable: string | null = null
  #asking = false
  /** Number of calls that wait for permits, while a request for them is scheduled. Null otherwise. */
  #waiting: number | null = null
  #stopped = false
  #backOffMs: number = BACK_OFF_MS.first
  #cancelTimer: () => void = () => undefined
  /** The limit in the key. Null until it is known. */
  #limit: number | null = null
  #tell: () => void = () => undefined

  /** Starts connecting. */
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
    // Nothing to do: the back-off is in front of this limiter.
  }

  /** Rejects with an {@link OperatorError} while Redis is unavailable. */
  async ready(): Promise<void> {
    await this.#tried
    if (this.#unavailable !== null) throw new OperatorError(this.#unavailable)
  }

  stop(): void {
    this.#stopped = true
    this.#cancelTimer()
    this.#connection?.close()
  }

  /**
   * Requests made in the same event-loop turn are batched into one Redis call. Otherwise the second would wait for
   * two round trips.
   */
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
        // Before the connection exists, the `catch` below handles the error.
        onLost: (error) => (connection === null ? undefined : this.#lost(connection, error)),
      })
      if (this.#stopped) return connection.close()
      this.#connection = connection
      const connectedMs = this.#options.clock.monotonicMs()
      const { answer, times } = await reserve(connection, this.#slots.statusRequest(), this.#options)
      this.#slots.connected(connectedMs, answer, times)
      this.#noteLimit(answer.limit)
      this.#backOffMs = BACK_OFF_MS.first
      this.#unavailable = null
      this.#tell()
    } catch (error) {
      this.#lost(connection, error)
    }
  }

  /** Does nothing if this connection was already reported as lost. */
  #lost(connection: RedisConnection | null, error: unknown): void {
    if (this.#stopped || this.#connection !== connection) return
    connection?.close()
    this.#connection = null
    this.#slots.disconnected()
    const message = explain(error)
    // The circuit breaker logs the first message when it opens, and `ready` reports it at startup.
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
    if (this.#limit !== null)
      log.info('The quota limit in Redis has changed. All replicas use the new one.', { count: limit })
    else if (limit !== this.#options.limit) {
      log.warn(
        'The limit stored in Redis differs from CHECKRESULT_QPS and takes precedence. Change it with `quota set`.',
        { count: limit },
      )
    }
    this.#limit = limit
    metrics.quota(limit, limit)
  }
}

/** A retry sometimes fails with another kind of error and the same advice, which is not worth another log line. */
function isSameAdvice(one: string, other: string): boolean {
  const [advice, known] = [one, other].map((message) => message.replace(/ \(\w+\)$/, ''))
  return advice === known
}
