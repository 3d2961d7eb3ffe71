/** Decodes one value, without the patience of the service: a registry that is away is an answer here. */
import type { Config } from '../../config.ts'
import type { Clock, Decoded, InputRecord } from '../../ports.ts'

const TIMEOUT_MS = 5_000

/** None of what the decoder still waits for keeps the process. */
const fleetingTimers: Clock = {
  monotonicMs: () => performance.now(),
  epochMs: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs).unref()
    return () => clearTimeout(timer)
  },
}

/** Null when the registry does not answer in time. */
export async function decodeOnce(
  config: Config,
  { value, headers }: Pick<InputRecord, 'value' | 'headers'>,
): Promise<Decoded | null> {
  const [{ createEventDecoder }, { createRegistry }, { registrySettings }, { createLog }, { NAME, VERSION }] =
    await Promise.all([
      import('../../adapters/registry/decode-event.ts'),
      import('../../adapters/registry/registry.ts'),
      import('../../service-settings.ts'),
      import('../../adapters/pino/log.ts'),
      import('../../version.ts'),
    ])
  const log = createLog({ level: 'silent', name: NAME, version: VERSION })
  const registry = createRegistry(registrySettings(config, log), { registryRequest: () => undefined })
  const metrics = { registryWaiting: () => undefined }
  const decoder = createEventDecoder({ registry, clock: fleetingTimers, log, metrics })
  const tooLong = setTimeout(() => decoder.stop(), TIMEOUT_MS)
  try {
    return await decoder.decode(value, headers)
  } finally {
    clearTimeout(tooLong)
  }
}
