/** Lists the text files of the repository. A hit is a finding in one of them. */
import { execFileSync } from 'node:child_process'
import { lstatSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface TextFile {
  /** Relative to the root of the repository, with `/`. */
  readonly path: string
  readonly text: string
}

export interface Hit {
  readonly path: string
  readonly line: number
  readonly message: string
}

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Files whose wording must not change: third-party files and released schemas. */
const FOREIGN = /^package-lock\.json$|^test\/deploy\/k8s-schemas\/|^schemas\/released\//

/** All text files that git tracks or would add, except those above. */
export function textFiles(root = ROOT): TextFile[] {
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 } as const
  const listed = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    options,
  )
  return listed
    .split('\0')
    .filter((path) => path !== '' && !FOREIGN.test(path) && isRegularFile(root + path))
    .map((path) => ({ path, text: readFileSync(root + path, 'utf8') }))
    .filter(({ text }) => !text.includes('\0'))
}

/** Git also lists deleted files, symbolic links, and nested repositories as directories. */
function isRegularFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true
}

export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}
