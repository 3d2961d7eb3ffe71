import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { hadolint } from '../../dev/tools/hadolint.ts'
import { call } from '../../dev/tools/install.ts'

const DOCKERFILE = fileURLToPath(new URL('../../Dockerfile', import.meta.url))

let command = ''

beforeAll(async () => {
  command = await hadolint()
})

test('hadolint finds nothing in the Dockerfile', async () => {
  expect(await call(command, ['--failure-threshold', 'style', DOCKERFILE])).toBe('')
})

test('hadolint rejects a base image without a version', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'checkresult-hadolint-'))
  onTestFinished(async () => rm(scratch, { recursive: true }))
  const file = join(scratch, 'Dockerfile')
  await writeFile(file, 'FROM node\nUSER 1\n')
  const wrong = call(command, ['--no-color', file])
  await expect(wrong).rejects.toThrow('failed')
})
