/**
 * Secrets from files, which are checked for changes while they are in use, so that rotating a secret needs no
 * restart. Secrets that belong together (a key and its secret) change together.
 *
 * A new value is used once two reads a second apart return the same text, so that a file that is half written, or
 * only one of two files, is not used. If a file cannot be read, the old values stay in use, and one problem is
 * reported. There are no timers: files are checked when a value is requested.
 */
import { withoutLineEnd, type FileText, type ReadText } from '../config/environment.ts'
import type { Secret } from '../config/secret.ts'

export interface FileSecretsOptions {
  readonly readText: ReadText
  readonly monotonicMs: () => number
  /** Called once until all files can be read again. The message contains no secret. */
  readonly onProblem: (message: string) => void
  readonly onChange?: () => void
}

export interface FileSecrets<Name extends string> {
  /** The values in use. The same object until a value changes. Checks the files every few seconds at most. */
  current(): Readonly<Record<Name, string>>
  /** Reports that the values in use were rejected: the current content of the files is used at once. */
  reread(): void
}

const LOOK_EVERY_MS = 5_000
const STEADY_MS = 1_000

/** Secrets that do not come from a file never change. */
export function createFileSecrets<Name extends string>(
  secrets: Readonly<Record<Name, Secret>>,
  options: FileSecretsOptions,
): FileSecrets<Name> {
  type Values = Readonly<Record<Name, string>>
  const all = Object.entries<Secret>(secrets) as [Name, Secret][]
  const hasFiles = all.some(([, secret]) => secret.file !== null)
  let inUse = valuesOf((secret) => secret.reveal())
  let candidate: Values | null = null
  let lookAtMs = options.monotonicMs() + LOOK_EVERY_MS
  let complained = false

  function valuesOf(read: (secret: Secret) => string): Values {
    return Object.fromEntries(all.map(([name, secret]) => [name, read(secret)])) as Values
  }

  function look(): Values | null {
    const values: Partial<Record<Name, string>> = {}
    for (const [name, secret] of all) {
      const found = readSecret(secret, options.readText)
      if (found.kind === 'unreadable') {
        if (!complained) options.onProblem(message(secret, found.problem))
        complained = true
        return null
      }
      values[name] = found.text
    }
    complained = false
    return values as Values
  }

  function take(values: Values): void {
    candidate = null
    if (same(values, inUse)) return
    inUse = values
    options.onChange?.()
  }

  function lookWhenDue(): void {
    const nowMs = options.monotonicMs()
    if (nowMs < lookAtMs) return
    const values = look()
    const steady = values !== null && (same(values, inUse) || (candidate !== null && same(values, candidate)))
    if (steady) take(values)
    else candidate = values
    lookAtMs = nowMs + (candidate === null ? LOOK_EVERY_MS : STEADY_MS)
  }

  return {
    current: () => {
      if (hasFiles) lookWhenDue()
      return inUse
    },
    reread: () => {
      const values = hasFiles ? look() : null
      if (values !== null) take(values)
    },
  }
}

const ONE_LINE = /^[^\p{Cc}]+$/u

function readSecret(secret: Secret, readText: ReadText): FileText {
  if (secret.file === null) return { kind: 'text', text: secret.reveal() }
  const found = readText(secret.file)
  if (found.kind === 'unreadable') return found
  const text = withoutLineEnd(found.text)
  if (text === '') return { kind: 'unreadable', problem: 'it is empty' }
  return ONE_LINE.test(text)
    ? { kind: 'text', text }
    : { kind: 'unreadable', problem: 'it has more than one line or contains control characters' }
}

function message({ file }: Secret, problem: string): string {
  return `Cannot use the secret file ${file ?? ''}: ${problem}. The last good value stays in use.`
}

function same(some: Readonly<Record<string, string>>, others: Readonly<Record<string, string>>): boolean {
  return Object.entries(some).every(([name, value]) => others[name] === value)
}
