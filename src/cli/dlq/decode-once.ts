/** Decodes one value, without the patience of the service: a registry that is away is an answer here. */
import type { Config } from '../../config.ts'
import type { Clock, Decoded } from '../../ports.ts'

const PATIENCE_MS = 5_000

/** None of what the decoder still waits for keeps the process. */
const fleetingTimers: Pick<Clock, 'after'> = {
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs).unref()
    return () => clearTimeout(timer)
  },
}

/** Null when the registry does not answer in time. */
export async function decodeOnce(config: Config, value: Buffer | null): Promise<Decoded | null> {
  const [{ createDecodeEvent }, { createRegistry }, { registrySettings }] = await Promise.all([
    import('../../adapters/registry/decode-event.ts'),
    import('../../adapters/registry/registry.ts'),
    import('../../service.ts'),
  ])
  const registry = createRegistry(registrySettings(config), { registryRequest: () => undefined })
  const decode = createDecodeEvent(registry, fleetingTimers)
  const { promise: tooLong, resolve } = Promise.withResolvers<null>()
  const timer = setTimeout(() => resolve(null), PATIENCE_MS)
  try {
    return await Promise.race([decode(value), tooLong])
  } finally {
    clearTimeout(timer)
  }
}
