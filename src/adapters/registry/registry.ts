/**
 * The schema registry, as far as the running service needs it: a schema by its id, and the id of one of our own schemas.
 * Never registers anything. Each request has a time-out of its own (the library has none) and a known outcome: network
 * errors of this library carry status 400, so nothing but a 404 of the registry's own is taken for final.
 */
import { Agent as HttpsAgent } from 'node:https'
import { createRequire } from 'node:module'
import type Api from '@kafkajs/confluent-schema-registry/dist/api/index.js'
import avsc, { type Type } from 'avsc'
import timeout from 'mappersmith/middleware/timeout'
import { Agent as HttpAgent } from '../../node-http.ts'
import type { Metrics } from '../../ports.ts'
import { askRegistry, authorization, idIn, memberOf, type RegistryAnswer } from './direct.ts'

const require = createRequire(import.meta.url)

/** Not the library's index, which loads a hundred files for JSON Schema and Protobuf: 2.5 MB of heap. */
const { default: createApi } = require('@kafkajs/confluent-schema-registry/dist/api/index.js') as typeof Api

export interface RegistrySettings {
  readonly url: string
  readonly auth: { readonly username: string; readonly password: string } | null
  readonly clientId: string
  /** Of a request; three seconds unless told otherwise. */
  readonly timeoutMs?: number
}

export type Lookup<T> =
  | { readonly kind: 'found'; readonly value: T }
  | { readonly kind: 'not-found' }
  /** The registry answered that we may not ask. */
  | { readonly kind: 'refused' }
  /** No usable answer: ask again later. */
  | { readonly kind: 'failed' }

/** Says what answered in the registry's place, so that a wrong address is found at the start. */
export type IdLookup =
  Exclude<Lookup<number>, { kind: 'refused' | 'failed' }> | Exclude<RegistryAnswer, { kind: 'answer' }>

export interface Registry {
  /** The writer's type of an Avro schema. */
  schemaById(id: number): Promise<Lookup<Type>>
  /** The id under which exactly this schema is registered. */
  idBySchema(subject: string, schemaJson: string): Promise<IdLookup>
}

const TIMEOUT_MS = 3_000

export function createRegistry(
  settings: RegistrySettings,
  metrics: Pick<Metrics, 'registryRequest'>,
): Registry {
  const client = createClient(settings)

  async function lookUp<T extends { readonly kind: keyof typeof METRIC_OUTCOMES }>(
    operation: 'schema-by-id' | 'id-by-schema',
    request: () => Promise<T>,
  ): Promise<T> {
    const result = await request()
    metrics.registryRequest(operation, METRIC_OUTCOMES[result.kind])
    return result
  }

  async function schemaById(id: number): Promise<Lookup<Type>> {
    const result = await outcomeOf(async () => {
      const schema = told<StoredSchema>(await client.Schema.find({ id }), 'schema')
      return { schema, referenced: await referencedBy(schema) }
    })
    if (result.kind === '404') {
      const body = await bodyAt(`/schemas/ids/${id}`, settings)
      return { kind: hasMember(body, 'error_code') ? 'not-found' : 'failed' }
    }
    return result.kind === 'found' ? avroType(result.value) : result
  }

  /** If the library fails, a request without it tells what answers at this address. */
  async function idBySchema(subject: string, schemaJson: string): Promise<IdLookup> {
    const result = await outcomeOf(async () => {
      const answer = await client.Subject.registered({ subject, body: { schema: schemaJson } })
      const id = idIn(answer.data())
      if (id === null) throw new Error('This is no answer of a registry.')
      return id
    })
    if (result.kind === 'found') return result
    const path = `/subjects/${encodeURIComponent(subject)}/versions/latest`
    const answer = await askRegistry(settings, { method: 'GET', path })
    if (answer.kind !== 'answer') return answer
    const { status, body } = answer
    if (status < 300 && typeof memberOf(body, 'schema') !== 'string')
      return { kind: 'not-a-registry', status }
    return result.kind === '404' ? { kind: 'not-found' } : { kind: 'failed', status: null }
  }

  /** Each once, and before who refers to it. */
  async function referencedBy(
    { references = [] }: StoredSchema,
    seen = new Set<string>(),
  ): Promise<StoredSchema[]> {
    const found: StoredSchema[] = []
    for (const { subject, version } of references) {
      const place = `${version} ${subject}`
      if (seen.has(place)) continue
      seen.add(place)
      const schema = told<StoredSchema>(await client.Subject.version({ subject, version }), 'schema')
      found.push(...(await referencedBy(schema, seen)), schema)
    }
    return found
  }

  return {
    schemaById: (id) => lookUp('schema-by-id', () => schemaById(id)),
    idBySchema: (subject, schemaJson) => lookUp('id-by-schema', () => idBySchema(subject, schemaJson)),
  }
}

function createClient(settings: RegistrySettings): ReturnType<typeof createApi> {
  const { timeoutMs = TIMEOUT_MS } = settings
  const Agent = settings.url.startsWith('https:') ? HttpsAgent : HttpAgent
  return createApi({
    host: settings.url,
    clientId: settings.clientId,
    ...(settings.auth === null ? {} : { auth: settings.auth }),
    // Written out, for the library keeps the first instance's settings for all that come after.
    retry: { retries: 1, initialRetryTimeInSecs: 0.1, maxRetryTimeInSecs: 1, factor: 0.2, multiplier: 2 },
    agent: new Agent({ keepAlive: true, timeout: timeoutMs }),
    // The library's own types of a middleware disagree between its two builds.
    middlewares: [timeout(timeoutMs) as never],
  })
}

/** As the registry tells it. */
interface StoredSchema {
  /** Missing where it is Avro. */
  readonly schemaType?: string
  readonly schema: string
  readonly references?: readonly { readonly subject: string; readonly version: number }[]
}

interface Retrieved {
  readonly schema: StoredSchema
  readonly referenced: readonly StoredSchema[]
}

/** A schema that is registered but is no Avro we can read is as good as unknown. */
function avroType({ schema, referenced }: Retrieved): Lookup<Type> {
  const registry: Record<string, Type> = {}
  try {
    for (const one of referenced) parse(one, registry)
    return { kind: 'found', value: parse(schema, registry) }
  } catch {
    return { kind: 'not-found' }
  }
}

/** Adds its names to the registry of those that are known. */
function parse({ schemaType = 'AVRO', schema }: StoredSchema, registry: Record<string, Type>): Type {
  if (schemaType !== 'AVRO') throw new Error('This is no Avro.')
  return avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema, { registry })
}

/** As much of the library's response as is looked at here. */
interface Answer {
  /** An object where it was JSON. */
  data(): unknown
}

/** A proxy's login page comes with 200 too: without what was asked for it is no answer of a registry. */
function told<T>(answer: Answer, member: keyof T & string): T {
  const body = answer.data()
  if (!hasMember(body, member)) throw new Error('This is no answer of a registry.')
  return body as T
}

/**
 * What the registry says of a path, null where none answers: an ingress without a backend says 404 too, but without an
 * `error_code`. The library does not tell them apart, so it is asked once more without it.
 */
async function bodyAt(
  path: string,
  { url, auth, timeoutMs = TIMEOUT_MS }: RegistrySettings,
): Promise<unknown> {
  try {
    const response = await fetch(`${url}${path}`, {
      headers: authorization(auth),
      signal: AbortSignal.timeout(timeoutMs),
    })
    return response.ok || response.status === 404 ? await response.json() : null
  } catch {
    return null
  }
}

function hasMember(body: unknown, member: string): boolean {
  return typeof body === 'object' && body !== null && member in body
}

const METRIC_OUTCOMES = {
  found: 'ok',
  'not-found': 'not-found',
  refused: 'failed',
  'not-a-registry': 'failed',
  failed: 'failed',
} as const

async function outcomeOf<T>(request: () => Promise<T>): Promise<Lookup<T> | { readonly kind: '404' }> {
  try {
    return { kind: 'found', value: await request() }
  } catch (error) {
    const { status } = error as { status?: unknown }
    if (status === 404) return { kind: '404' }
    return { kind: status === 401 || status === 403 ? 'refused' : 'failed' }
  }
}
