/**
 * The latest failed connection attempt of each broker address. kafkajs reports only the last address that it tried, but the
 * message "no Kafka broker answers" must name all of them with their causes.
 */
interface ConnectionFailure {
  readonly cause: string
  readonly atMs: number
}

/** Every address in use is tried again well within this time. */
const RECENT_MS = 60_000
const MAX_LISTED = 10

export class ConnectionFailures {
  readonly #byAddress = new Map<string, ConnectionFailure>()

  failed(address: string, error: unknown, nowMs = performance.now()): void {
    this.#byAddress.set(address, { cause: causeOf(error), atMs: nowMs })
  }

  succeeded(address: string): void {
    this.#byAddress.delete(address)
  }

  /** For example `kafka-1:9092: ECONNREFUSED, kafka-2:9092: ETIMEDOUT`. Empty if no recent attempt has failed. */
  recent(nowMs = performance.now()): string {
    for (const [address, { atMs }] of this.#byAddress) {
      if (nowMs - atMs > RECENT_MS) this.#byAddress.delete(address)
    }
    return [...this.#byAddress]
      .map(([address, { cause }]) => `${address}: ${cause}`)
      .sort()
      .slice(0, MAX_LISTED)
      .join(', ')
  }
}

/** For the whole process, like the patches of kafkajs that report to it. */
export const connectionFailures = new ConnectionFailures()

/** Only codes, because kafkajs's messages may contain more than should be shown. */
function causeOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (typeof code === 'string' && /^\w{1,80}$/.test(code)) return code
  return /timeout|timed out/i.test(String(message)) ? 'timeout' : 'connection closed'
}
