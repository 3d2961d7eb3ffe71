/** The messages about faulty settings. Each names the variable, what was found and what is expected; never a secret. */
import { aboutSetting, type SettingName } from './settings.ts'

export function missing(name: SettingName): string {
  return `${name} is not set: ${expected(name)}`
}

export function refused(name: SettingName, environmentValue: EnvironmentValue): string {
  return `${environmentValue.variable} ${found(name, environmentValue)}: ${expected(name)}`
}

export function unreadable(variable: string, path: string, problem: string): string {
  return `${variable} is ${shownPath(path)}: expected the path of a readable text file, but ${problem}.`
}

export function setTwice(name: SettingName, variant: string): string {
  return `${name} and ${variant} are both set: expected only one of them, for example ${variant}=/run/secrets/${name.toLowerCase()}.`
}

/** "A and B are set, but C is not: expected …" */
export function onlySomeSet(
  set: readonly SettingName[],
  unset: readonly SettingName[],
  expectation: string,
): string {
  return `${joined(set)} set, but ${joined(unset)} not: expected ${expectation}.`
}

function joined(names: readonly SettingName[]): string {
  return `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'}`
}

/** One setting as the environment gives it. */
export interface EnvironmentValue {
  /** The variable it came by: the setting's own name, or that with `_FILE`. */
  readonly variable: string
  /** The value, read from the file where there is one. */
  readonly text: string
  /** What the variable itself held: the value or the path. */
  readonly raw: string
}

/** For a message: quoted, in one short line, without what may be a login or a token in an address. */
export function shown(raw: string): string {
  const harmless = raw
    .replace(/^.*@/su, '***@')
    .replace(/\?.*$/su, '?***')
    .replace(/[\x7f-\x9f]/g, '?')
  return JSON.stringify(harmless.length > MAX_SHOWN ? `${harmless.slice(0, MAX_SHOWN)}…` : harmless)
}

const MAX_SHOWN = 80

/** A secret given where its path belongs must not be shown: only what can be nothing but a path is. */
function shownPath(path: string): string {
  return path.startsWith('/') ? shown(path) : 'no absolute path'
}

function found(name: SettingName, { variable, raw }: EnvironmentValue): string {
  switch (aboutSetting(name).holds) {
    case 'secret':
      return variable === name
        ? 'is not well-formed (not shown)'
        : `leads to ${shownPath(raw)}, which is not well-formed`
    case 'content':
    case 'path':
      return `is ${shownPath(raw)}`
    case 'text':
      return `is ${shown(raw)}`
  }
}

function expected(name: SettingName): string {
  const about = aboutSetting(name)
  return `expected ${about.expected}, for example ${name}=${about.example}.`
}
