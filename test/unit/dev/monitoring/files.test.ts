import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { monitoringFiles } from '../../../../dev/generate-monitoring.ts'

const files = await monitoringFiles()

test.each([...files])(
  '%s is up to date (if this fails, run `node dev/generate-monitoring.ts`)',
  (path, text) => {
    expect(readFileSync(path, 'utf8')).toBe(text)
  },
)

test('there are no other files beside the generated ones', () => {
  const folders = new Set([...files.keys()].map((path) => dirname(path)))
  const found = [...folders].flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  expect(found.toSorted()).toEqual([...files.keys()].toSorted())
})
