/** What the service runs on, by the lock file, with its licences. Packages for development are not among it. */
import { readFileSync } from 'node:fs'

export interface LockedPackage {
  readonly version?: string
  readonly license?: string
  readonly dev?: boolean
  readonly integrity?: string
  readonly resolved?: string
  readonly hasInstallScript?: boolean
}

export interface ThirdParty {
  readonly name: string
  readonly version: string
  /** SPDX. */
  readonly licence: string
}

const LOCK = new URL('../package-lock.json', import.meta.url)

/** They ask for their notice to be kept, which the image does, and for nothing else. */
export const ALLOWED_LICENCES: readonly string[] = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
]

/** Every package of the lock file but ourselves, by its place in node_modules. */
export function lockedPackages(): [path: string, LockedPackage][] {
  const { packages } = JSON.parse(readFileSync(LOCK, 'utf8')) as { packages: Record<string, LockedPackage> }
  return Object.entries(packages).filter(([path]) => path !== '')
}

/** The Node that the project brings for development is not in the image. */
function isShipped(name: string): boolean {
  return !name.startsWith('node-linux-')
}

/** Sorted by name and version; a package that is there twice in one version, once. */
export function thirdParties(): ThirdParty[] {
  const found = lockedPackages()
    .filter(([, { dev = false }]) => !dev)
    .map(([path, { version = '', license }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
      return { name, version, licence: license ?? 'unknown' }
    })
    .filter(({ name }) => isShipped(name))
  const unique = new Map(found.map((one) => [`${one.name}@${one.version}`, one]))
  return [...unique].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
}
