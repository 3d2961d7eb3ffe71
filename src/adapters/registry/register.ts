/**
 * Registering our schemas: `schemas register`'s, never the running service's. Straight requests to the registry, for the
 * library does not say why a schema is incompatible.
 */
import { authorization, type RegistrySettings } from './registry.ts'
import { SCHEMA_NAMES, schemaJson, subjectOf, whyUnreadable, type SchemaName } from './schemas.ts'
import { OperatorError } from '../../core/safe-error.ts'

export type Registration =
  | { readonly kind: 'registered'; readonly subject: string; readonly id: number }
  | { readonly kind: 'incompatible'; readonly subject: string; readonly reasons: readonly string[] }

export type SchemaTopics = Readonly<Record<SchemaName, string>>

const COMPATIBILITY = 'BACKWARD'
const TIMEOUT_MS = 10_000
const NOT_FOUND = 404
const CONFLICT = 409

/** Each schema under the subject of its topic, compatibility set. Rejects with a sentence that says what to do. */
export async function registerSchemas(
  settings: RegistrySettings,
  topics: SchemaTopics,
): Promise<Registration[]> {
  const registrations: Registration[] = []
  for (const name of SCHEMA_NAMES) {
    registrations.push(await registerOne(settings, name, subjectOf(topics[name])))
  }
  return registrations
}

async function registerOne(
  settings: RegistrySettings,
  name: SchemaName,
  subject: string,
): Promise<Registration> {
  const path = encodeURIComponent(subject)
  const body = { schemaType: 'AVRO', schema: schemaJson(name) }
  const setCompatibility = () => ask(settings, 'PUT', `/config/${path}`, { compatibility: COMPATIBILITY })
  // Before the check, for a registry without a rule of its own takes everything for compatible. Some know a subject's
  // rule only once the subject has a schema.
  const wasSet = (await setCompatibility()).status !== NOT_FOUND
  const check = await ask(
    settings,
    'POST',
    `/compatibility/subjects/${path}/versions/latest?verbose=true`,
    body,
  )
  const refused = check.status !== NOT_FOUND && check.body['is_compatible'] === false
  const registered = refused ? check : await ask(settings, 'POST', `/subjects/${path}/versions`, body)
  if (refused || registered.status === CONFLICT) {
    return {
      kind: 'incompatible',
      subject,
      reasons: await reasonsFor(settings, { name, path, answer: registered }),
    }
  }
  if (!wasSet) await setCompatibility()
  return { kind: 'registered', subject, id: Number(registered.body['id']) }
}

/** The registry's own reasons, or, where it gives none, what our reader says of the schema that is there. */
async function reasonsFor(
  settings: RegistrySettings,
  { name, path, answer }: { name: SchemaName; path: string; answer: Answer },
): Promise<string[]> {
  const { messages, message } = answer.body
  const given = Array.isArray(messages) ? messages : message === undefined ? [] : [message]
  if (given.length > 0)
    return given.map((one: unknown) => (typeof one === 'string' ? one : JSON.stringify(one)))
  const latest = await ask(settings, 'GET', `/subjects/${path}/versions/latest`)
  const reason = whyUnreadable(name, String(latest.body['schema']))
  return [reason ?? 'The registry gives no reason.']
}

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>> & {
    readonly messages?: unknown
    readonly message?: unknown
  }
}

async function ask(
  settings: RegistrySettings,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await send(settings, method, path, body)
  const text = await response.text()
  if (response.ok || response.status === NOT_FOUND || response.status === CONFLICT) {
    return { status: response.status, body: parse(text) }
  }
  if (response.status === 401 || response.status === 403) {
    throw new OperatorError(
      'The registry refuses us: check SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD, and the right to write.',
    )
  }
  throw new OperatorError(`The registry answered ${method} ${path} with HTTP ${response.status}.`)
}

async function send(
  { url, auth }: RegistrySettings,
  method: string,
  path: string,
  body: unknown,
): Promise<Response> {
  try {
    return await fetch(`${url}${path}`, {
      method,
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json', ...authorization(auth) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
  } catch {
    throw new OperatorError(
      'The schema registry does not answer: check SCHEMA_REGISTRY_URL and that it can be reached.',
    )
  }
}

function parse(text: string): Answer['body'] {
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null ? { ...body } : {}
  } catch {
    return {}
  }
}
