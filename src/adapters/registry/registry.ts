/**
 * The schema registry for the running service: a schema by its id, and the id of our result schema. It never
 * registers anything. Each request has a time limit. "Not found" is final only if the registry itself says so,
 * because an ingress without a backend also answers 404.
 */
import type { Metrics } from '../../ports.ts'
import { askRegistry, idIn, memberOf, type RegistryAnswer, type RegistrySettings } from './direct.ts'

export interface SchemaReference {
  readonly subject: string
  readonly version: number
}

export interface RegisteredSchema {
  /** `AVRO`, `JSON`, `PROTOBUF` or whatever else the registry stores. */
  readonly schemaType: string
  readonly schema: string
  /** The referenced schemas, each once and after those that it needs itself. */
  readonly referenced: readonly string[]
}

export type Lookup<T> =
  | { readonly kind: 'found'; readonly value: T }
  /** `missing` is the reference that the registry does not have. Null if the requested schema itself is missing. */
  | { readonly kind: 'not-found'; readonly missing: SchemaReference | null }
  /** The registry rejected the login. */
  | { readonly kind: 'refused' }
  /** No usable answer: retry later. The status is null if nothing answered at all. */
  | { readonly kind: 'failed'; readonly status: number | null }

/** Includes the kinds of wrong answers, so that a wrong address is found at startup. */
export type IdLookup =
  Exclude<Lookup<number>, { kind: 'refused' | 'failed' }> | Exclude<RegistryAnswer, { kind: 'answer' }>

export interface Registry {
  schemaById(id: number): Promise<Lookup<RegisteredSchema>>
  /** The id under which exactly this schema is registered. */
  idBySchema(subject: string, schemaJson: string): Promise<IdLookup>
}

const OK = 200
const NOT_FOUND = 404
const METRIC_OUTCOMES = {
  found: 'ok',
  'not-found': 'not-found',
  refused: 'failed',
  failed: 'failed',
  'not-a-registry': 'failed',
} as const

export function createRegistry(
  settings: RegistrySettings,
  metrics: Pick<Metrics, 'registryRequest'>,
): Registry {
  async function lookUp<T extends { readonly kind: keyof typeof METRIC_OUTCOMES }>(
    operation: 'schema-by-id' | 'id-by-schema',
    request: () => Promise<T>,
  ): Promise<T> {
    const result = await request()
    metrics.registryRequest(operation, METRIC_OUTCOMES[result.kind])
    return result
  }
  return {
    schemaById: (id) => lookUp('schema-by-id', () => schemaById(settings, id)),
    idBySchema: (subject, schemaJson) =>
      lookUp('id-by-schema', () => idBySchema(settings, subject, schemaJson)),
  }
}

async function schemaById(settings: RegistrySettings, id: number): Promise<Lookup<RegisteredSchema>> {
  const found = await storedSchema(settings, `/schemas/ids/${id}`)
  if (found.kind !== 'found') return found
  const { schemaType, schema, references } = found.value
  if (schemaType !== 'AVRO') return { kind: 'found', value: { schemaType, schema, referenced: [] } }
  const referenced = await referencedBy(settings, references, new Set())
  return referenced.kind === 'found'
    ? { kind: 'found', value: { schemaType, schema, referenced: referenced.value } }
    : referenced
}

async function idBySchema(settings: RegistrySettings, subject: string, schema: string): Promise<IdLookup> {
  const path = `/subjects/${encodeURIComponent(subject)}`
  const answer = await askRegistry(settings, { method: 'POST', path, body: { schema } })
  if (answer.kind !== 'answer') return answer
  const { status, body } = answer
  if (status >= 300)
    return status === NOT_FOUND ? { kind: 'not-found', missing: null } : { kind: 'failed', status }
  const id = idIn(body)
  return id === null ? { kind: 'not-a-registry', status } : { kind: 'found', value: id }
}

/** `seen` contains the paths already requested, because references may be circular. */
async function referencedBy(
  settings: RegistrySettings,
  references: readonly SchemaReference[],
  seen: Set<string>,
): Promise<Lookup<readonly string[]>> {
  const schemas: string[] = []
  for (const { subject, version } of references) {
    const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`
    if (seen.has(path)) continue
    seen.add(path)
    const found = await storedSchema(settings, path)
    if (found.kind === 'not-found') return { kind: 'not-found', missing: { subject, version } }
    if (found.kind !== 'found') return found
    const deeper = await referencedBy(settings, found.value.references, seen)
    if (deeper.kind !== 'found') return deeper
    schemas.push(...deeper.value, found.value.schema)
  }
  return { kind: 'found', value: schemas }
}

interface StoredSchema {
  readonly schemaType: string
  readonly schema: string
  readonly references: readonly SchemaReference[]
}

async function storedSchema(settings: RegistrySettings, path: string): Promise<Lookup<StoredSchema>> {
  const found = await ask(settings, path)
  if (found.kind !== 'found') return found
  // Registries omit the type for Avro.
  const schema = memberOf(found.value, 'schema')
  const schemaType = memberOf(found.value, 'schemaType') ?? 'AVRO'
  if (typeof schema !== 'string' || typeof schemaType !== 'string') return { kind: 'failed', status: OK }
  const references = referencesIn(memberOf(found.value, 'references'))
  return { kind: 'found', value: { schema, schemaType, references } }
}

function referencesIn(value: unknown): SchemaReference[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((one: unknown) => {
    const subject = memberOf(one, 'subject')
    const version = memberOf(one, 'version')
    return typeof subject === 'string' && typeof version === 'number' ? [{ subject, version }] : []
  })
}

/** Never rejects. */
async function ask(settings: RegistrySettings, path: string): Promise<Lookup<unknown>> {
  const answer = await askRegistry(settings, { method: 'GET', path })
  if (answer.kind === 'refused') return { kind: 'refused' }
  if (answer.kind !== 'answer') return { kind: 'failed', status: answer.status }
  if (answer.status < 300) return { kind: 'found', value: answer.body }
  return answer.status === NOT_FOUND
    ? { kind: 'not-found', missing: null }
    : { kind: 'failed', status: answer.status }
}
