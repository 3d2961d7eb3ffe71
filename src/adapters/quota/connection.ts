/**
 * One connection to Redis, from its login to its end. The library would connect again by itself; here another connection
 * is another object, for each begins with a wait and a look (`redis-limiter.ts`). Nothing is sent but what is asked for.
 */
import { createClient } from '@redis/client'
import type { Clock } from '../../ports.ts'
import { SlowError } from './errors.ts'

export interface RedisAddress {
  /** Asked at each connection: the password in it may have been changed. */
  readonly url: () => string
  /** PEM text; null for the public authorities. */
  readonly ca: () => string | null
}

export interface ConnectionOptions extends RedisAddress {
  readonly clock: Clock
  /** Once, when it ends otherwise than by `close`. */
  readonly onLost?: (error: unknown) => void
}

export interface RedisConnection {
  /** Rejects with the library's or the server's error, or a SlowError. */
  send(command: readonly string[]): Promise<unknown>
  /** At once; what is under way rejects. */
  close(): void
}

const CONNECT_MS = 3_000
const ANSWER_MS = 1_000
/** A peer that vanished while nobody asked is noticed by the system's own probes. */
const KEEP_ALIVE_MS = 10_000

/** Rejects when it cannot be had within some seconds. */
export async function connectRedis(options: ConnectionOptions): Promise<RedisConnection> {
  const { clock, onLost } = options
  const client = createClient(clientOptions(options))
  let isOpen = true
  const close = (): void => {
    isOpen = false
    client.destroy()
  }
  client.on('error', (error: unknown) => {
    if (isOpen && client.socketEpoch > 0) onLost?.(error)
  })
  try {
    await within(clock, CONNECT_MS, client.connect())
  } catch (error) {
    close()
    throw error
  }
  return { send: async (command) => within(clock, ANSWER_MS, client.sendCommand([...command])), close }
}

function clientOptions({ url: currentUrl, ca: currentCa }: RedisAddress): Parameters<typeof createClient>[0] {
  const url = currentUrl()
  const ca = currentCa()
  const socket = {
    connectTimeout: CONNECT_MS,
    reconnectStrategy: false as const,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  }
  return {
    url,
    socket: url.startsWith('rediss:') ? { ...socket, tls: true, ...(ca !== null && { ca }) } : socket,
    RESP: 2, // with 3 there is a greeting, and servers before 6 do not know it
    maintNotifications: 'disabled',
    disableClientInfo: true,
    disableOfflineQueue: true,
    commandOptions: { timeout: 0 }, // the library's counts only until a command is written
  }
}

async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T> {
  const { promise: tooLong, reject } = Promise.withResolvers<never>()
  const cancel = clock.after(ms, () => reject(new SlowError()))
  try {
    return await Promise.race([work, tooLong])
  } finally {
    cancel()
  }
}
