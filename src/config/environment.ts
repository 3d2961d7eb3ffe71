/**
 * Reads the value of each setting from the environment, and from files. An empty variable counts as not set, because templates
 * leave such ones behind. Secrets are not trimmed, except for the last line end of a file. Everything else is.
 */
import { readFileSync, statSync } from 'node:fs'
import { setTwice, unreadable, type EnvironmentValue } from './errors.ts'
import { Secret } from './secret.ts'
import { aboutSetting, fileVariant, type SettingName, type Values } from './settings.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export type FileText =
  | { readonly kind: 'text'; readonly text: string }
  /** `problem` completes "but …". */
  | { readonly kind: 'unreadable'; readonly problem: string }

export type ReadText = (path: string) => FileText

export interface Gathered {
  readonly environmentValues: ReadonlyMap<SettingName, EnvironmentValue>
  readonly errors: readonly string[]
  /** Settings whose value could not be read. No further error is reported about them. */
  readonly failed: ReadonlySet<SettingName>
}

export function gather(env: Environment, names: readonly SettingName[], readText: ReadText): Gathered {
  const environmentValues = new Map<SettingName, EnvironmentValue>()
  const errors: string[] = []
  const failed = new Set<SettingName>()
  for (const name of names) {
    const found = gatherOne(env, name, readText)
    if (found === null) continue
    if (found.kind === 'value') environmentValues.set(name, found.environmentValue)
    else {
      errors.push(found.error)
      failed.add(name)
    }
  }
  return { environmentValues, errors, failed }
}

type Found = { kind: 'value'; environmentValue: EnvironmentValue } | { kind: 'error'; error: string } | null

function gatherOne(env: Environment, name: SettingName, readText: ReadText): Found {
  const { holds } = aboutSetting(name)
  const variant = fileVariant(name)
  const own = textOf(env, name, holds === 'secret')
  const path = variant === null ? undefined : textOf(env, variant, false)
  if (variant !== null && path !== undefined) {
    return own === undefined
      ? fromFile(variant, path, readText)
      : { kind: 'error', error: setTwice(name, variant) }
  }
  if (own === undefined) return null
  if (holds === 'content') return fromFile(name, own, readText)
  if (holds === 'path') return onlyReadable(name, own, readText)
  return { kind: 'value', environmentValue: { variable: name, text: own, raw: own } }
}

function fromFile(variable: string, path: string, readText: ReadText): Found {
  const file = readText(path)
  if (file.kind === 'unreadable') return { kind: 'error', error: unreadable(variable, path, file.problem) }
  return { kind: 'value', environmentValue: { variable, text: withoutLineEnd(file.text), raw: path } }
}

/** Editors and `echo` append a line end to a secret. */
export function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '')
}

function onlyReadable(variable: string, path: string, readText: ReadText): Found {
  const found = fromFile(variable, path, readText)
  return found?.kind === 'value'
    ? { kind: 'value', environmentValue: { variable, text: path, raw: path } }
    : found
}

function textOf(env: Environment, variable: string, verbatim: boolean): string | undefined {
  const raw = Object.hasOwn(env, variable) ? env[variable] : undefined
  const text = verbatim ? raw : raw?.trim()
  return text === '' ? undefined : text
}

/** Gives each secret that came from a file the path of this file. */
export function withFiles(values: Values, environmentValues: Gathered['environmentValues']): Values {
  const entries = Object.entries(values).map(([name, value]): [string, unknown] => {
    const found = environmentValues.get(name as SettingName)
    if (!(value instanceof Secret) || found === undefined || !isFromFile(name as SettingName, found)) {
      return [name, value]
    }
    return [name, new Secret(value.reveal(), found.raw)]
  })
  return Object.fromEntries(entries) as Values
}

function isFromFile(name: SettingName, { variable }: EnvironmentValue): boolean {
  return variable !== name || aboutSetting(name).holds === 'content'
}

const MAX_FILE_BYTES = 64 * 1024

/** Never throws. Refuses anything but a regular file, because reading it may never end. */
export function readTextFile(path: string): FileText {
  try {
    const file = statSync(path)
    if (!file.isFile()) return { kind: 'unreadable', problem: 'it is not a regular file' }
    if (file.size > MAX_FILE_BYTES) return { kind: 'unreadable', problem: 'it is larger than 64 KiB' }
    return { kind: 'text', text: readFileSync(path, 'utf8') }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    return { kind: 'unreadable', problem: PROBLEMS[code] ?? `reading it failed (${code})` }
  }
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist (ENOENT)',
  EACCES: 'this user may not read it (EACCES)',
}
