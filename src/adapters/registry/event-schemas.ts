/**
 * The schemas events were written with, by their ids. One met before is answered at once, whatever the registry does. A
 * new one is waited for: "not found" is final only when the registry says so itself, twice; that it is away, slow or
 * refuses us never is. What is remembered is bounded, and what was not found is asked for again after a minute.
 */
import type { Type } from 'avsc'
import type { Clock, Log, Metrics, Undecodable } from '../../ports.ts'
import type { Lookup, Registry } from './registry.ts'
import { schemaType } from './schemas.ts'

export type EventSchema =
  | { readonly kind: 'readable'; readonly read: (bytes: Buffer) => unknown }
  | { readonly kind: 'bad'; readonly code: Undecodable; readonly message: string }

export interface EventSchemasOptions {
  readonly registry: Pick<Registry, 'schemaById'>
  readonly clock: Pick<Clock, 'after' | 'monotonicMs'>
  readonly log: Log
  readonly metrics: Pick<Metrics, 'registryWaiting'>
}

interface Bad {
  readonly schema: EventSchema
  readonly untilMs: number
}

type Waiter = (schema: EventSchema | null) => void

/** Of each kind: ids that are none, which anybody can write, must not push out those that are. */
const MOST_SCHEMAS = 1_000
const RECHECK_MS = 500
const FORGET_BAD_MS = 60_000
const RETRY_MS = { first: 250, most: 5_000 } as const

const OUTAGES = {
  failed: 'does not answer: check SCHEMA_REGISTRY_URL and that it can be reached',
  refused:
    'refuses us: check SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD, and the right to read schemas',
} as const

export class EventSchemas {
  readonly #options: EventSchemasOptions
  readonly #readerType = schemaType('verification-completed')
  readonly #readable = new Map<number, EventSchema>()
  readonly #bad = new Map<number, Bad>()
  readonly #asked = new Map<number, Promise<EventSchema | null>>()
  readonly #waiters = new Set<Waiter>()
  #outage: keyof typeof OUTAGES | null = null
  #stopped = false

  constructor(options: EventSchemasOptions) {
    this.#options = options
  }

  /** Records that wait for an answer. */
  get waiting(): number {
    return this.#waiters.size
  }

  /** Null when stopped before there was an answer. */
  get(id: number): EventSchema | Promise<EventSchema | null> {
    return this.#readable.get(id) ?? this.#rememberedBad(id) ?? this.#wait(id)
  }

  /** Whoever waits gets null: the records are read again by whoever owns their partition next. */
  stop(): void {
    this.#stopped = true
    for (const waiter of this.#waiters) waiter(null)
    this.#waiters.clear()
  }

  #rememberedBad(id: number): EventSchema | undefined {
    const found = this.#bad.get(id)
    return found !== undefined && this.#options.clock.monotonicMs() < found.untilMs ? found.schema : undefined
  }

  #wait(id: number): Promise<EventSchema | null> {
    if (this.#stopped) return Promise.resolve(null)
    return new Promise((resolve, reject) => {
      this.#waiters.add(resolve)
      this.#options.metrics.registryWaiting(this.waiting)
      this.#ask(id)
        .then(resolve, reject)
        .finally(() => {
          this.#waiters.delete(resolve)
          this.#options.metrics.registryWaiting(this.waiting)
        })
    })
  }

  /** One request per id however many records wait for it. */
  #ask(id: number): Promise<EventSchema | null> {
    const pending = this.#asked.get(id) ?? this.#fetch(id).finally(() => this.#asked.delete(id))
    this.#asked.set(id, pending)
    return pending
  }

  async #fetch(id: number): Promise<EventSchema | null> {
    const schema = await this.#untilAnswered(id)
    if (schema?.kind === 'readable') remember(this.#readable, id, schema)
    if (schema?.kind === 'bad') {
      remember(this.#bad, id, { schema, untilMs: this.#options.clock.monotonicMs() + FORGET_BAD_MS })
    }
    return schema
  }

  async #untilAnswered(id: number): Promise<EventSchema | null> {
    const { registry, clock } = this.#options
    let delayMs: number = RETRY_MS.first
    let rechecked = false
    while (!this.#stopped) {
      const found = await registry.schemaById(id)
      this.#watch(found)
      if (found.kind === 'found') return this.#resolve(found.value)
      // A registry's replica may lag behind the producer that has just registered.
      if (found.kind === 'not-found' && rechecked) {
        return bad('unknown-schema', `The registry knows no Avro schema with id ${id}.`)
      }
      rechecked ||= found.kind === 'not-found'
      const pauseMs = found.kind === 'not-found' ? RECHECK_MS : delayMs
      await new Promise<void>((done) => void clock.after(pauseMs, done))
      delayMs = Math.min(delayMs * 2, RETRY_MS.most)
    }
    return null
  }

  /** An outage is logged when it begins, when it changes and when it ends. */
  #watch({ kind }: Lookup<Type>): void {
    const outage = kind === 'failed' || kind === 'refused' ? kind : null
    if (outage === this.#outage) return
    this.#outage = outage
    const { log } = this.#options
    if (outage === null) log.info('The schema registry answers again.')
    else
      log.error(`Records wait whose schema is not known yet, for the schema registry ${OUTAGES[outage]}.`, {
        reason: outage,
      })
  }

  #resolve(writerType: Type): EventSchema {
    try {
      const resolver = this.#readerType.createResolver(writerType)
      return {
        kind: 'readable',
        read: (bytes) => this.#readerType.fromBuffer(bytes, resolver) as unknown,
      }
    } catch {
      return bad('wrong-schema', 'The schema of the value cannot be read as VerificationCompleted.')
    }
  }
}

/** The one remembered longest makes room. */
function remember<T>(map: Map<number, T>, id: number, value: T): void {
  const [oldest] = map.keys()
  if (map.size >= MOST_SCHEMAS && oldest !== undefined) map.delete(oldest)
  map.delete(id)
  map.set(id, value)
}

function bad(code: Undecodable, message: string): EventSchema {
  return { kind: 'bad', code, message }
}
