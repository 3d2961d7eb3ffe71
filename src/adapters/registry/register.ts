/**
 * Registers our schemas for `schemas register`; the running service never does. Each subject gets compatibility
 * level FULL_TRANSITIVE: subscribers built against any released version can read every other one, and a producer
 * cannot register an event schema that the service could not read. Rejects with a message that says what to do.
 */
import { askRegistry, idIn, memberOf, registryProblem, type RegistryRequest } from './direct.ts'
import type { RegistrySettings } from './direct.ts'
import { SCHEMA_NAMES, schemaJson, subjectOf, whyUnreadable, type SchemaName } from './schemas.ts'
import { OperatorError } from '../../core/safe-error.ts'

export type Registration =
  /** `exists`: exactly this schema was registered before. */
  (
    | { readonly kind: 'registered' | 'exists'; readonly id: number }
    | { readonly kind: 'incompatible'; readonly reasons: readonly string[] }
  ) & {
    readonly subject: string
    /** The subject's own previous level if it was a different one. Null if nothing had to be changed. */
    readonly formerLevel: string | null
  }

export type SchemaTopics = Readonly<Record<SchemaName, string>>

export const COMPATIBILITY = 'FULL_TRANSITIVE'
const TIMEOUT_MS = 10_000
const NOT_FOUND = 404
const CONFLICT = 409
const MAX_TEXT_LENGTH = 500

/** Registers each schema under the subject of its topic, in the order of {@link SCHEMA_NAMES}. */
export async function registerSchemas(
  settings: RegistrySettings,
  topics: SchemaTopics,
): Promise<Registration[]> {
  const registrations: Registration[] = []
  for (const name of SCHEMA_NAMES) {
    const subject = subjectOf(topics[name])
    registrations.push(await registerOne({ settings: { timeoutMs: TIMEOUT_MS, ...settings }, name, subject }))
  }
  return registrations
}

interface Target {
  readonly settings: RegistrySettings
  readonly name: SchemaName
  readonly subject: string
}

async function registerOne(target: Target): Promise<Registration> {
  const { subject } = target
  const level = await currentLevel(target)
  const formerLevel = level === null || level === COMPATIBILITY ? null : level
  // The level is set before the checks, because a registry without a level accepts everything as compatible. Some
  // registries store a level only for a subject that has a schema.
  const isSet = await setLevel(target)
  const known = await versions(target)
  const incompatible = await incompatibilities(target, known)
  if (incompatible.length > 0) return { kind: 'incompatible', subject, reasons: incompatible, formerLevel }
  const existed = known.length > 0 && (await isRegistered(target))
  const answer = await ask(target, {
    method: 'POST',
    path: `/subjects/${encodeURIComponent(subject)}/versions`,
    body: registrationBody(target),
  })
  if (answer.status === CONFLICT) {
    return { kind: 'incompatible', subject, reasons: reasonsIn(answer.body), formerLevel }
  }
  const id = idIn(answer.body)
  if (answer.status === NOT_FOUND || id === null) throw unexpected(target, answer)
  if (!isSet && !(await setLevel(target))) {
    throw new OperatorError(
      `The schema of ${subject} is registered, but the registry does not store a compatibility level for this subject. Set ${COMPATIBILITY} in the registry by hand.`,
    )
  }
  return { kind: existed ? 'exists' : 'registered', subject, id, formerLevel }
}

/** Only for the report, so an unexpected answer counts as no. */
async function isRegistered(target: Target): Promise<boolean> {
  const path = `/subjects/${encodeURIComponent(target.subject)}`
  const answer = await askRegistry(target.settings, { method: 'POST', path, body: registrationBody(target) })
  return answer.kind === 'answer' && answer.status < 300 && idIn(answer.body) !== null
}

function registrationBody({ name }: Target): object {
  return { schemaType: 'AVRO', schema: schemaJson(name) }
}

/** The subject's own level. Null if it has none. */
async function currentLevel(target: Target): Promise<string | null> {
  const answer = await ask(target, { method: 'GET', path: levelPath(target) })
  if (answer.status === NOT_FOUND) return null
  const level = levelIn(answer.body)
  if (level === null) throw unexpected(target, answer)
  return level
}

/** False if the registry does not know the subject yet. */
async function setLevel(target: Target): Promise<boolean> {
  const answer = await ask(target, {
    method: 'PUT',
    path: levelPath(target),
    body: { compatibility: COMPATIBILITY },
  })
  if (answer.status === NOT_FOUND) return false
  const level = levelIn(answer.body)
  if (level === null) throw unexpected(target, answer)
  if (level !== COMPATIBILITY) {
    throw new OperatorError(
      `The registry did not change the compatibility level of ${target.subject} from ${level} to ${COMPATIBILITY}. Set it in the registry by hand.`,
    )
  }
  return true
}

function levelPath({ subject }: Target): string {
  return `/config/${encodeURIComponent(subject)}`
}

/** Registries use different names for it in different answers. */
function levelIn(body: unknown): string | null {
  const level = memberOf(body, 'compatibilityLevel') ?? memberOf(body, 'compatibility')
  return typeof level === 'string' && /^[A-Z_]{1,40}$/.test(level) ? level : null
}

/** Checks each version separately, because not every registry checks all of them in one request. */
async function incompatibilities(target: Target, known: readonly number[]): Promise<string[]> {
  const reasons: string[] = []
  for (const version of known) {
    const answer = await ask(target, {
      method: 'POST',
      path: `/compatibility/subjects/${encodeURIComponent(target.subject)}/versions/${version}?verbose=true`,
      body: registrationBody(target),
    })
    const isCompatible = memberOf(answer.body, 'is_compatible')
    // The version has been deleted in the meantime.
    if (answer.status === NOT_FOUND || isCompatible === true) continue
    if (isCompatible !== false) throw unexpected(target, answer)
    const given = reasonsIn(answer.body)
    const found = given.length > 0 ? given : await ownReasons(target, version)
    reasons.push(...found.map((reason) => `version ${version}: ${reason}`))
  }
  return reasons
}

async function versions(target: Target): Promise<number[]> {
  const answer = await ask(target, {
    method: 'GET',
    path: `/subjects/${encodeURIComponent(target.subject)}/versions`,
  })
  if (answer.status === NOT_FOUND) return []
  const { body } = answer
  if (!Array.isArray(body) || !body.every(isVersion)) throw unexpected(target, answer)
  return body
}

function isVersion(one: unknown): one is number {
  return typeof one === 'number' && Number.isSafeInteger(one)
}

/** The registry's own reasons. Empty if it gives none. */
function reasonsIn(body: unknown): string[] {
  const messages = memberOf(body, 'messages')
  const message = memberOf(body, 'message')
  const all: readonly unknown[] = Array.isArray(messages) ? messages : message === undefined ? [] : [message]
  return all.map((one) => oneLine(typeof one === 'string' ? one : JSON.stringify(one)))
}

/** Reasons from our own Avro library in both directions, for registries that give none. */
async function ownReasons(target: Target, version: number): Promise<string[]> {
  const answer = await ask(target, {
    method: 'GET',
    path: `/subjects/${encodeURIComponent(target.subject)}/versions/${version}`,
  })
  const schema = memberOf(answer.body, 'schema')
  const reasons = typeof schema === 'string' ? whyIncompatible(target.name, schema) : []
  return reasons.length > 0 ? reasons.map(oneLine) : ['The registry gives no reason.']
}

function whyIncompatible(name: SchemaName, otherJson: string): string[] {
  const ours = schemaJson(name)
  const backward = whyUnreadable(ours, otherJson)
  const forward = whyUnreadable(otherJson, ours)
  return [
    ...(backward === null ? [] : [`readers of the new version could not read it: ${backward}`]),
    ...(forward === null ? [] : [`its readers could not read the new version: ${forward}`]),
  ]
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

/** Returns success, not found and conflict. Throws on anything else, with the registry's own message. */
async function ask({ settings }: Target, request: RegistryRequest): Promise<Answer> {
  const answer = await askRegistry(settings, request)
  if (answer.kind !== 'answer') throw new OperatorError(registryProblem(settings, answer, 'write'))
  const { status, body } = answer
  if (status < 300 || status === NOT_FOUND || status === CONFLICT) return answer
  const message = memberOf(body, 'message')
  throw new OperatorError(
    `The registry answered ${request.method} ${request.path} with HTTP ${status}${
      typeof message === 'string' ? `: ${oneLine(message)}` : '.'
    }`,
  )
}

function unexpected({ settings }: Target, { status }: Answer): OperatorError {
  return new OperatorError(registryProblem(settings, { kind: 'not-a-registry', status }, 'write'))
}

/**
 * Registry messages contain no personal data, but must not contain control characters that move a terminal's
 * cursor.
 */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, MAX_TEXT_LENGTH)
}
