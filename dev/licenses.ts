/** Third parties whose work the service or this repository contains, with their licenses. Packages are read from the lock file. */
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
  readonly license: string
}

/** Code or data of others that is committed here, in its own or another form. */
export interface Adopted {
  readonly what: string
  /** Files or folders of this project. */
  readonly where: readonly string[]
  readonly source: string
  /** SPDX, or `public domain`. */
  readonly license: string
  readonly copyright: string
  /** Whether the service runs it. Otherwise it is for development and tests only, and not in the image. */
  readonly isShipped: boolean
}

const KAFKA = 'Apache Kafka. Copyright 2025 The Apache Software Foundation.'

/** A test checks that the files exist and that no source file mentions a port that is not listed. */
export const ADOPTED: readonly Adopted[] = [
  {
    what: 'murmur2, rewritten in TypeScript',
    where: ['src/core/partitions/partition.ts'],
    source:
      '`org.apache.kafka.common.utils.Utils.murmur2` of Apache Kafka, after MurmurHash2 by Austin Appleby',
    license: 'Apache-2.0',
    copyright: KAFKA,
    isShipped: true,
  },
  {
    what: 'FNV-1a with the final mix of MurmurHash3, written from their descriptions',
    where: ['simulator/hash.ts'],
    source: 'FNV by Glenn Fowler, Landon Curt Noll and Kiem-Phong Vo; MurmurHash3 by Austin Appleby',
    license: 'public domain',
    copyright: 'none claimed',
    isShipped: true,
  },
  {
    what: 'test vectors of murmur2',
    where: ['test/unit/core/partitions/partition.test.ts'],
    source: '`UtilsTest.testMurmur2` of Apache Kafka',
    license: 'Apache-2.0',
    copyright: KAFKA,
    isShipped: false,
  },
  {
    what: 'mulberry32, a random number generator, rewritten in TypeScript',
    where: ['test/support/random.ts', 'test/support/mutants.ts'],
    source: 'mulberry32 by Tommy Ettinger',
    license: 'public domain',
    copyright: 'none claimed',
    isShipped: false,
  },
  {
    what: 'JSON schemas of Kubernetes kinds, reduced',
    where: ['test/deploy/k8s-schemas/v1.29.0', 'test/deploy/k8s-schemas/v1.37.0'],
    source: '`kubernetes-validate` 1.37.0, from Kubernetes',
    license: 'Apache-2.0',
    copyright: 'The Kubernetes Authors.',
    isShipped: false,
  },
  {
    what: 'CustomResourceDefinitions, reduced, and JSON schemas made from them',
    where: ['test/deploy/k8s-schemas/crd-manifests', 'test/deploy/k8s-schemas/crds'],
    source: 'prometheus-operator v0.93.0, KEDA v2.20.2, external-secrets v2.9.0',
    license: 'Apache-2.0',
    copyright: 'The prometheus-operator, KEDA and External Secrets Operator authors.',
    isShipped: false,
  },
]

/** Copyright notices of packages that come without a license file, by name. A test checks that all others have one. */
export const NOTICES: Readonly<Record<string, string>> = {
  '@alicloud/tea-typescript':
    'Jackson Tian. Its package.json says ISC, its README the MIT license; both permit the same use.',
  '@antoniomuso/lz4-napi-*': 'Copyright (c) 2021 Antonio Musolino.',
  '@redis/client': 'Copyright (c) 2022-2025, Redis, inc.',
  httpx: 'Jackson Tian.',
}

const LOCK = new URL('../package-lock.json', import.meta.url)

/** Permissive: they only require that their notice is kept, and the image keeps it. */
export const ALLOWED_LICENSES: readonly string[] = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
]

/** Every package of the lock file except this project, by its path in node_modules. */
export function lockedPackages(): [path: string, LockedPackage][] {
  const { packages } = JSON.parse(readFileSync(LOCK, 'utf8')) as { packages: Record<string, LockedPackage> }
  return Object.entries(packages).filter(([path]) => path !== '')
}

/** The Node binaries for development are not in the image. */
function isShipped(name: string): boolean {
  return !name.startsWith('node-linux-')
}

/** Packages that the service needs, sorted by name and version, without duplicates. */
export function thirdParties(): ThirdParty[] {
  const found = lockedPackages()
    .filter(([, { dev = false }]) => !dev)
    .map(([path, { version = '', license }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
      return { name, version, license: license ?? 'unknown' }
    })
    .filter(({ name }) => isShipped(name))
  const unique = new Map(found.map((one) => [`${one.name}@${one.version}`, one]))
  return [...unique].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
}
