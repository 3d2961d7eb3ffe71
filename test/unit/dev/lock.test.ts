import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { withLock } from '../../../dev/lock.js'

const LONG_TIMEOUT = { timeoutMs: 10_000 }

test('only one process holds the lock at a time', async () => {
  const file = lockFile()
  let holders = 0
  const results = await Promise.all(
    Array.from({ length: 5 }, async (_, i) =>
      withLock(file, LONG_TIMEOUT, async () => {
        expect(++holders).toBe(1)
        await setImmediate()
        holders--
        return i
      }),
    ),
  )
  expect(results).toEqual([0, 1, 2, 3, 4])
})

test('the lock file is removed even if the work fails', async () => {
  const file = lockFile()
  const work = withLock(file, LONG_TIMEOUT, () => {
    throw new Error('broken')
  })
  await expect(work).rejects.toThrow('broken')
  expect(readdirSync(join(file, '..'))).toEqual([])
})

test('a lock is taken over if its owner is dead', async () => {
  const file = lockFile()
  const { pid } = spawnSync(process.execPath, ['--version'])
  writeFileSync(file, `${pid} left-behind`)
  let holders = 0
  const attempts = Array.from({ length: 5 }, async () =>
    withLock(file, LONG_TIMEOUT, async () => {
      expect(++holders).toBe(1)
      await setImmediate()
      holders--
    }),
  )
  await Promise.all(attempts)
  expect(readdirSync(join(file, '..'))).toEqual([])
})

test('a waiting process reports the process id of the owner, and gives up after a timeout', async () => {
  const file = lockFile()
  writeFileSync(file, `${process.pid} somebody`)
  const waitedFor: number[] = []
  const waiting = withLock(file, { timeoutMs: 10, onWait: (pid) => waitedFor.push(pid) }, () => 'never')
  await expect(waiting).rejects.toThrow(`Process ${process.pid} has held ${file} for too long`)
  expect(waitedFor).toEqual([process.pid])
})

function lockFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'lock-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  return join(directory, 'it.lock')
}
