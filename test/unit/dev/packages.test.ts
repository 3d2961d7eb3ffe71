import { describe, expect, test } from 'vitest'
import { installReason, nodeProblem } from '../../../dev/packages.js'

const LOCK = {
  '': { name: 'checkresult-stream' },
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/b': { version: '2.0.0', integrity: 'sha512-b' },
  'node_modules/a-for-other-machines': {
    version: '1.0.0',
    integrity: 'sha512-c',
    optional: true,
    os: ['aix'],
  },
}
const INSTALLED = {
  'node_modules/a': LOCK['node_modules/a'],
  'node_modules/b': LOCK['node_modules/b'],
}

describe('npm packages', () => {
  test('are not reinstalled while they match the lock file', () => {
    expect(installReason(file(LOCK), file(INSTALLED))).toBeUndefined()
  })

  test('are installed if there are none', () => {
    expect(installReason(file(LOCK), undefined)).toBe('none are installed yet')
  })

  test.each([
    ['has another version', { ...LOCK, 'node_modules/a': { version: '1.0.1', integrity: 'sha512-a' } }],
    ['has another checksum', { ...LOCK, 'node_modules/a': { version: '1.0.0', integrity: 'sha512-x' } }],
    ['has an additional package', { ...LOCK, 'node_modules/d': { version: '1.0.0', integrity: 'sha512-d' } }],
    ['lacks a package', { '': LOCK[''], 'node_modules/a': LOCK['node_modules/a'] }],
  ])('are reinstalled if the lock file %s', (_, lock) => {
    expect(installReason(file(lock), file(INSTALLED))).toBe('package-lock.json changed')
  })
})

describe('the Node version check', () => {
  const old = { running: '20.20.2', bundled: false, platform: 'darwin' }

  test('an old Node gets a message that says what to install', () => {
    expect(nodeProblem(old)).toBe(
      'Node 24 or newer is required, but this is 20.20.2. Install it (`brew install node`) and run the command again.',
    )
  })

  test('an old Node is accepted if the packages bring their own Node', () => {
    expect(nodeProblem({ ...old, bundled: true })).toBeUndefined()
  })

  test.each(['24.0.0', '26.10.0'])('Node %s is accepted', (running) => {
    expect(nodeProblem({ ...old, running })).toBeUndefined()
  })
})

function file(packages: Record<string, unknown>): string {
  return JSON.stringify({ lockfileVersion: 3, packages })
}
