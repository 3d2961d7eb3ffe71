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

describe('packages', () => {
  test('are not installed again while they are what the lock file says', () => {
    expect(installReason(file(LOCK), file(INSTALLED))).toBeUndefined()
  })

  test('are installed when there are none', () => {
    expect(installReason(file(LOCK), undefined)).toBe('none are installed yet')
  })

  test.each([
    ['asks for another version', { ...LOCK, 'node_modules/a': { version: '1.0.1', integrity: 'sha512-a' } }],
    ['asks for other content', { ...LOCK, 'node_modules/a': { version: '1.0.0', integrity: 'sha512-x' } }],
    ['asks for one more', { ...LOCK, 'node_modules/d': { version: '1.0.0', integrity: 'sha512-d' } }],
    ['no longer asks for one', { '': LOCK[''], 'node_modules/a': LOCK['node_modules/a'] }],
  ])('are installed when the lock file %s', (_, lock) => {
    expect(installReason(file(lock), file(INSTALLED))).toBe('package-lock.json changed')
  })
})

describe('an old Node', () => {
  const old = { running: '20.20.2', bundled: false, platform: 'darwin' }

  test('is answered with what to install', () => {
    expect(nodeProblem(old)).toBe(
      'Node 24 or newer is required, but this is 20.20.2. Install it (`brew install node`) and run the command again.',
    )
  })

  test('does no harm when the packages bring their own', () => {
    expect(nodeProblem({ ...old, bundled: true })).toBeUndefined()
  })

  test.each(['24.0.0', '26.10.0'])('is not what %s is', (running) => {
    expect(nodeProblem({ ...old, running })).toBeUndefined()
  })
})

function file(packages: Record<string, unknown>): string {
  return JSON.stringify({ lockfileVersion: 3, packages })
}
