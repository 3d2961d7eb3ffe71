import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cacheDir } from '../../../../dev/stack/programs.ts'

test.each([
  [{ CHECKRESULT_CACHE_DIR: '/mine', XDG_CACHE_HOME: '/xdg' }, '/mine'],
  [{ XDG_CACHE_HOME: '/xdg' }, '/xdg/checkresult-stream'],
  [{}, join(homedir(), '.cache', 'checkresult-stream')],
])('with %j downloaded programs are stored in %s', (environment, directory) => {
  expect(cacheDir(environment)).toBe(directory)
})
