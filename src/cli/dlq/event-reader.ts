/** Reads the events of dead letters. Unlike the service it does not wait for a registry that does not answer. */
import type { Registry } from '../../adapters/registry/registry.ts'
import type { Clock, Decoded, InputRecord } from '../../ports.ts'
import type { DlqConfig } from './dead-letter-topic.ts'

export type Reading =
  | Decoded
  /** Avro, but the schema is not available. */
  | { readonly kind: 'unread'; readonly why: 'no-registry' | 'no-answer' }

export interface EventReader {
  read(record: Pick<InputRecord, 'value' | 'headers'>): Promise<Reading>
}

const TIMEOUT_MS = 5_000
const NO_REGISTRY: Pick<Registry, 'schemaById'> = {
  schemaById: () => Promise.resolve({ kind: 'failed', status: null }),
}

/** Timers that do not keep the process alive, whatever the decoder still waits for. */
const unrefTimers: Clock = {
  monotonicMs: () => performance.now(),
  epochMs: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs).unref()
    return () => clearTimeout(timer)
  },
}

/** Reads only JSON if no registry is configured. After one timeout it does not ask the registry again. */
export async function createEventReader({
  registry: settings,
}: Pick<DlqConfig, 'registry'>): Promise<EventReader> {
  const [{ createEventDecoder }, { createRegistry }, { registrySettings }, { createLog }, { NAME, VERSION }] =
    await Promise.all([
      import('../../adapters/registry/decode-event.ts'),
      import('../../adapters/registry/registry.ts'),
      import('../../app/settings.ts'),
      import('../../adapters/pino/log.ts'),
      import('../../version.ts'),
    ])
  const log = createLog({ level: 'silent', name: NAME, version: VERSION })
  const registry =
    settings === undefined
      ? NO_REGISTRY
      : createRegistry(registrySettings({ registry: settings }, log), { registryRequest: () => undefined })
  const metrics = { registryWaiting: () => undefined }
  const decoder = createEventDecoder({ registry, clock: unrefTimers, log, metrics })
  if (settings === undefined) decoder.stop()
  return {
    async read({ value, headers }) {
      const tooLong = setTimeout(() => decoder.stop(), TIMEOUT_MS)
      try {
        const decoded = await decoder.decode(value, headers)
        return decoded ?? { kind: 'unread', why: settings === undefined ? 'no-registry' : 'no-answer' }
      } finally {
        clearTimeout(tooLong)
      }
    },
  }
}
