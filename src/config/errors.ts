/** The messages about invalid settings. Each names the variable, what was found and what is expected, and never a secret. */
import { aboutSetting, type SettingName } from './settings.ts'

export function missing(name: SettingName): string {
  return `${name} is not set. ${expected(name)}`
}

export function refused(name: SettingName, environmentValue: EnvironmentValue): string {
  return `${environmentValue.variable} ${found(name, environmentValue)}. ${hintFor(name, environmentValue)}${expected(name)}`
}

export function unreadable(variable: string, path: string, problem: string): string {
  return `${variable} is ${shownPath(path)}. Expected the path of a readable text file, but ${problem}.`
}

export function setTwice(name: SettingName, variant: string): string {
  return `${name} and ${variant} are both set. Expected only one of them, for example ${variant}=/run/secrets/${name.toLowerCase()}.`
}

/** "A is set, but B is not. Set both, or neither." */
export function onlySomeSet(set: readonly SettingName[], unset: readonly SettingName[]): string {
  const advice = set.length + unset.length === 2 ? 'Set both, or neither.' : 'Set all of them, or none.'
  return `${joined(set)} set, but ${joined(unset)} not. ${advice}`
}

function joined(names: readonly SettingName[]): string {
  return `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'}`
}

/** One setting as the environment gives it. */
export interface EnvironmentValue {
  /** The variable that holds it: the setting's own name, or that name with `_FILE`. */
  readonly variable: string
  /** The value, read from the file if there is one. */
  readonly text: string
  /** The content of the variable itself: the value or the path. */
  readonly raw: string
}

/** For a message: quoted, in one short line, without a login or a token that an address may hold. */
export function shown(raw: string): string {
  const harmless = raw
    .replace(/^.*@/su, '***@')
    .replace(/([?#]).*$/su, '$1***')
    .replace(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, '?')
  return JSON.stringify(harmless.length > MAX_SHOWN ? `${harmless.slice(0, MAX_SHOWN)}…` : harmless)
}

const MAX_SHOWN = 80

/** Shows only absolute paths, because a secret may have been set where its path belongs. */
function shownPath(path: string): string {
  return path.startsWith('/') ? shown(path) : 'not an absolute path'
}

function found(name: SettingName, { variable, raw }: EnvironmentValue): string {
  switch (aboutSetting(name).holds) {
    case 'secret':
      return variable === name
        ? 'is invalid (value not shown)'
        : `is ${shownPath(raw)}, and the content of this file is invalid (not shown)`
    case 'content':
    case 'path':
      return `is ${shownPath(raw)}`
    case 'text':
      return `is ${shown(raw)}`
  }
}

function expected(name: SettingName): string {
  const about = aboutSetting(name)
  return `Expected ${about.expected}, for example ${name}=${about.example}.`
}

/** Quotation marks are the most common reason why a value that looks right is rejected. */
function hintFor(name: SettingName, { raw }: EnvironmentValue): string {
  const isSecret = aboutSetting(name).holds === 'secret'
  return !isSecret && isQuoted(raw) ? 'The quotation marks are part of the value: remove them. ' : ''
}

/** `"…"` or `'…'`. */
export function isQuoted(text: string): boolean {
  return text.length > 1 && /^(["']).*\1$/su.test(text)
}
