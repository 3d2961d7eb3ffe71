/**
 * What the environment gives for each setting, files read. An empty variable counts as unset: templates leave such ones
 * behind. Secrets are taken as they are (but for a file's last line end), everything else is trimmed.
 */
import { readFileSync, statSync } from 'node:fs'
import { givenTwice, unreadable, type Given } from './faults.ts'
import { Secret } from './secret.ts'
import { SETTING_NAMES, aboutSetting, fileVariant, type SettingName, type Values } from './settings.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export type FileText =
  | { readonly kind: 'text'; readonly text: string }
  /** `problem` completes "but …". */
  | { readonly kind: 'unreadable'; readonly problem: string }

export type ReadText = (path: string) => FileText

export interface Gathered {
  readonly given: ReadonlyMap<SettingName, Given>
  readonly faults: readonly string[]
  /** Settings whose value could not be had: nothing further is said about them. */
  readonly failed: ReadonlySet<SettingName>
}

export function gather(env: Environment, readText: ReadText): Gathered {
  const given = new Map<SettingName, Given>()
  const faults: string[] = []
  const failed = new Set<SettingName>()
  for (const name of SETTING_NAMES) {
    const found = gatherOne(env, name, readText)
    if (found === null) continue
    if (found.kind === 'given') given.set(name, found.given)
    else {
      faults.push(found.fault)
      failed.add(name)
    }
  }
  return { given, faults, failed }
}

type Found = { kind: 'given'; given: Given } | { kind: 'fault'; fault: string } | null

function gatherOne(env: Environment, name: SettingName, readText: ReadText): Found {
  const { holds } = aboutSetting(name)
  const variant = fileVariant(name)
  const own = textOf(env, name, holds === 'secret')
  const path = variant === null ? undefined : textOf(env, variant, false)
  if (variant !== null && path !== undefined) {
    return own === undefined
      ? fromFile(variant, path, readText)
      : { kind: 'fault', fault: givenTwice(name, variant) }
  }
  if (own === undefined) return null
  if (holds === 'content') return fromFile(name, own, readText)
  if (holds === 'path') return onlyReadable(name, own, readText)
  return { kind: 'given', given: { variable: name, text: own, raw: own } }
}

function fromFile(variable: string, path: string, readText: ReadText): Found {
  const file = readText(path)
  if (file.kind === 'unreadable') return { kind: 'fault', fault: unreadable(variable, path, file.problem) }
  return { kind: 'given', given: { variable, text: withoutLineEnd(file.text), raw: path } }
}

/** Editors and `echo` put one behind a secret. */
export function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '')
}

function onlyReadable(variable: string, path: string, readText: ReadText): Found {
  const found = fromFile(variable, path, readText)
  return found?.kind === 'given' ? { kind: 'given', given: { variable, text: path, raw: path } } : found
}

function textOf(env: Environment, variable: string, verbatim: boolean): string | undefined {
  const raw = Object.hasOwn(env, variable) ? env[variable] : undefined
  const text = verbatim ? raw : raw?.trim()
  return text === '' ? undefined : text
}

/** The settings' values, each secret that came from a file knowing which. */
export function withFiles(values: Values, given: Gathered['given']): Values {
  const entries = Object.entries(values).map(([name, value]): [string, unknown] => {
    const found = given.get(name as SettingName)
    if (!(value instanceof Secret) || found === undefined || !isFromFile(name as SettingName, found)) {
      return [name, value]
    }
    return [name, new Secret(value.reveal(), found.raw)]
  })
  return Object.fromEntries(entries) as Values
}

function isFromFile(name: SettingName, { variable }: Given): boolean {
  return variable !== name || aboutSetting(name).holds === 'content'
}

const MAX_FILE_BYTES = 64 * 1024

/** Never throws. Anything but a plain file is refused: reading it might not end. */
export function readTextFile(path: string): FileText {
  try {
    const file = statSync(path)
    if (!file.isFile()) return { kind: 'unreadable', problem: 'that is no plain file' }
    if (file.size > MAX_FILE_BYTES) return { kind: 'unreadable', problem: 'that file is larger than 64 KiB' }
    return { kind: 'text', text: readFileSync(path, 'utf8') }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    return { kind: 'unreadable', problem: `reading it failed (${code})` }
  }
}
