import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startNode } from '../../../../dev/harness/commands.ts'
import { isAlive } from '../../../support/processes.ts'

const STARTER = fileURLToPath(new URL('../../../support/start-command.ts', import.meta.url))

test('a program dies with its parent process, even if both were stopped and killed', async () => {
  const parent = spawn(process.execPath, [STARTER], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void parent.kill('SIGKILL'))
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  const pid = Number(line)
  expect(isAlive(pid)).toBe(true)
  process.kill(pid, 'SIGSTOP')
  parent.kill('SIGKILL')
  await expect.poll(() => isAlive(pid)).toBe(false)
})

test('a program gets only the given environment variables, and its exit is reported', async () => {
  vi.stubEnv('NOT_GIVEN', 'to it')
  onTestFinished(() => void vi.unstubAllEnvs())
  const print = 'console.log(Object.keys(process.env).join()); process.exitCode = 3'
  const program = startNode(['-e', print], { GIVEN: 'to it' })
  const [names] = await program.line(/.*GIVEN.*/)
  expect(names.split(',')).toContain('GIVEN')
  expect(names.split(',')).not.toContain('NOT_GIVEN')
  expect(await program.exited).toBe(3)
})
