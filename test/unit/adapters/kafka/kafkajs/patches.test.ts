import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { PATCHES } from '../../../../../src/adapters/kafka/kafkajs/patches.ts'

const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url))
const NAMES = PATCHES.map(({ name }) => name)

test.each([
  ['file', 'src/adapters/kafka/kafkajs', '.ts'],
  ['test', 'test/unit/adapters/kafka/kafkajs', '.test.ts'],
])('each patch of kafkajs has a %s, and there is no other', (_kind, folder, ending) => {
  const files = globSync(`patch-*${ending}`, { cwd: `${ROOT}${folder}` })
  expect(files.toSorted()).toEqual(NAMES.map((name) => `patch-${name}${ending}`).toSorted())
})

test('docs/kafkajs.md has all patches in their order, with reason and upstream issues', () => {
  const page = readFileSync(`${ROOT}docs/kafkajs.md`, 'utf8')
  const rows = [...page.matchAll(/^\| `([\w-]+)` +\| (.+?) +\| (.+?) +\|$/gm)]
  const documented = rows.map(([, name, reason, links = '']) => ({
    name,
    reason,
    upstream: [...links.matchAll(/kafkajs\/issues\/(\d+)/g)].map(([, number]) => Number(number)),
  }))
  expect(documented).toEqual(PATCHES.map(({ name, reason, upstream }) => ({ name, reason, upstream })))
})

test('there are at most four patches of kafkajs', () => {
  expect(NAMES.length).toBeLessThanOrEqual(4)
})
