/**
 * Caches the schemas of events by id. A known schema is available at once, whatever state the registry is in. For a
 * new one the caller waits: "not found" is final only after the registry itself has said so twice, and an outage is
 * never final. The cache is bounded, and a schema that was missing or invalid is requested again after a minute.
 */
import type { Clock, Decoded, Log, Metrics, Undecodable } from '../../ports.ts'
import { avroReader, mayHoldEvents, type AvroFound } from './avro-event.ts'
import { parseAvroSchema, SchemaError, type AvroType } from './avro-schema.ts'
import { toEvent } from './event-fields.ts'
import type { Lookup, RegisteredSchema, Registry, SchemaReference } from './registry.ts'

export type EventSchema =
  | { readonly kind: 'avro'; readonly decode: (value: Buffer, at: number, nowMs: number) => Decoded }
  | { readonly kind: 'json' }
  /** No value of this schema can be an event. */
  | { readonly kind: 'foreign'; readonly message: string }
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

/**
 * Applies to each cache. They are separate, so that invalid ids, which anyone can write, cannot evict valid ones.
 */
const MAX_SCHEMAS = 1_000
const RECHECK_MS = 500
const FORGET_BAD_MS = 60_000
const RETRY_MS = { first: 250, max: 5_000 } as const

export class EventSchemas {
  readonly #options: EventSchemasOptions
  readonly #known = new Map<number, EventSchema>()
  readonly #bad = new Map<number, Bad>()
  readonly #asked = new Map<number, Promise<EventSchema | null>>()
  readonly #waiters = new Set<Waiter>()
  /** The message of the current outage. */
  #outage: string | null = null
  #stopped = false

  constructor(options: EventSchemasOptions) {
    this.#options = options
  }

  /** Number of records that wait for an answer. */
  get waiting(): number {
    return this.#waiters.size
  }

  /** Resolves to null if stopped before there was an answer. */
  get(id: number): EventSchema | Promise<EventSchema | null> {
    return this.#known.get(id) ?? this.#rememberedBad(id) ?? this.#wait(id)
  }

  /** Waiting calls resolve to null. The next owner of the partition reads their records again. */
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

  /** Sends one request per id, however many records wait for it. */
  #ask(id: number): Promise<EventSchema | null> {
    const pending = this.#asked.get(id) ?? this.#fetch(id).finally(() => this.#asked.delete(id))
    this.#asked.set(id, pending)
    return pending
  }

  async #fetch(id: number): Promise<EventSchema | null> {
    const schema = await this.#untilAnswered(id)
    if (schema?.kind === 'bad') {
      remember(this.#bad, id, { schema, untilMs: this.#options.clock.monotonicMs() + FORGET_BAD_MS })
    } else if (schema !== null) remember(this.#known, id, schema)
    return schema
  }

  async #untilAnswered(id: number): Promise<EventSchema | null> {
    const { registry, clock } = this.#options
    let delayMs: number = RETRY_MS.first
    let rechecked = false
    while (!this.#stopped) {
      const found = await registry.schemaById(id)
      this.#watch(found)
      if (found.kind === 'found') return eventSchema(id, found.value)
      // A registry replica may lag behind the producer that has just registered the schema.
      if (found.kind === 'not-found' && rechecked)
        return bad('unknown-schema', whatIsMissing(id, found.missing))
      rechecked ||= found.kind === 'not-found'
      const pauseMs = found.kind === 'not-found' ? RECHECK_MS : delayMs
      await new Promise<void>((done) => void clock.after(pauseMs, done))
      delayMs = Math.min(delayMs * 2, RETRY_MS.max)
    }
    return null
  }

  /** Logs an outage when it begins, changes or ends. */
  #watch(found: Lookup<unknown>): void {
    const outage = outageOf(found)
    if (outage === this.#outage) return
    this.#outage = outage
    const { log } = this.#options
    if (outage === null) log.info('The schema registry answers again.')
    else
      log.error(`${outage} Records with an unknown schema id wait, and the service keeps trying.`, {
        reason: found.kind,
      })
  }
}

function outageOf(found: Lookup<unknown>): string | null {
  switch (found.kind) {
    case 'refused':
      return 'The schema registry rejects the login: check SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD, and that this user may read schemas.'
    case 'failed':
      return found.status === null
        ? 'The schema registry does not answer: check SCHEMA_REGISTRY_URL and that it can be reached.'
        : `The schema registry, or a proxy in front of it, answers HTTP ${found.status} instead of a schema: check SCHEMA_REGISTRY_URL and that the registry works.`
    default:
      return null
  }
}

function eventSchema(id: number, { schemaType, schema, referenced }: RegisteredSchema): EventSchema {
  if (schemaType === 'JSON') return { kind: 'json' }
  if (schemaType !== 'AVRO') {
    return bad(
      'unsupported-format',
      `The schema with id ${id} is ${nameOf(schemaType)}. Events are read from Avro and JSON.`,
    )
  }
  try {
    return avroSchema(id, parseAvroSchema(schema, referenced))
  } catch (error) {
    const why = error instanceof SchemaError ? error.message : 'it is not a valid Avro schema'
    return bad('unreadable-schema', `The schema with id ${id} cannot be parsed: ${why}.`)
  }
}

function avroSchema(id: number, schema: AvroType): EventSchema {
  const name = schema.kind === 'record' ? `the record ${schema.name}` : `a value of type ${schema.kind}`
  const message = `The schema with id ${id} describes ${name}, not an event.`
  if (!mayHoldEvents(schema)) return { kind: 'foreign', message }
  const read = avroReader(schema)
  return {
    kind: 'avro',
    decode: (value, at, nowMs) => {
      let found: AvroFound
      try {
        found = read(value, at)
      } catch {
        return {
          kind: 'undecodable',
          code: 'malformed-avro',
          message: 'The value does not match its schema.',
        }
      }
      switch (found.kind) {
        case 'fields':
          return toEvent(found.fields, nowMs)
        case 'null':
          return { kind: 'foreign', foreign: 'tombstone', message: 'The value is null, written as Avro.' }
        case 'foreign':
          return { kind: 'foreign', foreign: 'wrong-schema', message }
      }
    },
  }
}

/** Names the format if the registry's word for it is short enough to be a name. */
function nameOf(schemaType: string): string {
  if (schemaType === 'PROTOBUF') return 'Protobuf'
  return /^[\w-]{1,30}$/.test(schemaType) ? `of type ${schemaType}` : 'of another type'
}

function whatIsMissing(id: number, reference: SchemaReference | null): string {
  return reference === null
    ? `The schema registry has no schema with id ${id}.`
    : `The schema with id ${id} refers to version ${reference.version} of the subject ${reference.subject}, which the schema registry does not have.`
}

/** Evicts the oldest entry if the map is full. */
function remember<T>(map: Map<number, T>, id: number, value: T): void {
  const [oldest] = map.keys()
  if (map.size >= MAX_SCHEMAS && oldest !== undefined) map.delete(oldest)
  map.delete(id)
  map.set(id, value)
}

function bad(code: Undecodable, message: string): EventSchema {
  return { kind: 'bad', code, message }
}
