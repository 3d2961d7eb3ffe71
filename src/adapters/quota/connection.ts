/**
 * One connection to Redis, from login to close. The library's own reconnect is disabled: a new connection is a new
 * object, because each must first wait and read the state (`redis-limiter.ts`). Only requested commands are sent.
 */
import { createClient } from '@redis/client'
import type { Clock } from '../../ports.ts'
import { SlowError } from './errors.ts'

export interface RedisAddress {
  /** Called for each connection, because the password in it may have changed. */
  readonly url: () => string
  /** PEM text, or null for the public certificate authorities. */
  readonly ca: () => string | null
}

export interface ConnectionOptions extends RedisAddress {
  readonly clock: Clock
  /** Called once if the connection ends for another reason than `close`. */
  readonly onLost?: (error: unknown) => void
}

export interface RedisConnection {
  /** Rejects with an error of the library or the server, or with a SlowError. */
  send(command: readonly string[]): Promise<unknown>
  /** Closes at once. Pending commands reject. */
  close(): void
}

const CONNECT_MS = 3_000
const ANSWER_MS = 1_000
/** TCP keep-alive detects a peer that vanished while no command is pending. */
const KEEP_ALIVE_MS = 10_000

/** Rejects if the connection cannot be established within a few seconds. */
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
    RESP: 2, // RESP 3 starts with HELLO, which servers before version 6 do not know
    maintNotifications: 'disabled',
    disableClientInfo: true,
    disableOfflineQueue: true,
    commandOptions: { timeout: 0 }, // the library's timeout ends when a command is written
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
