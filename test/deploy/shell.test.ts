import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { call } from '../../dev/tools/install.ts'
import { shellcheck } from '../../dev/tools/shellcheck.ts'

const root = new URL('../../', import.meta.url)
const standIns = readdirSync(new URL('dev/image/stand-ins', root)).map(
  (name) => `dev/image/stand-ins/${name}`,
)

test('shellcheck finds nothing in our scripts', async () => {
  const scripts = ['.ci/run', ...standIns].map((path) => fileURLToPath(new URL(path, root)))
  expect(await call(await shellcheck(), scripts)).toBe('')
})
