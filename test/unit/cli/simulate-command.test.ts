import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Readable } from 'node:stream'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { createCheckResultClient } from '../../../src/adapters/alibaba/client.ts'
import { handingOut } from '../../support/credentials.ts'

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url))

type Child = ChildProcessByStdio<null, Readable, Readable>

interface Running {
  readonly child: Child
  readonly stdout: () => string
  /** Exit code and everything printed. */
  ended(): Promise<{ code: number | null; stdout: string; stderr: string }>
}

const children: Child[] = []

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
})

function simulate(...options: string[]): Running {
  const child = spawn(process.execPath, [MAIN, 'simulate', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  const text = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (text.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()))
  const closed = once(child, 'close')
  return {
    child,
    stdout: () => text.stdout,
    ended: async () => {
      await closed
      return { code: child.exitCode, ...text }
    },
  }
}

async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'simulate-'))
  onTestFinished(async () => rm(folder, { recursive: true }))
  return folder
}

/** The settings it prints to be exported. */
async function settingsOf({ child, stdout }: Running): Promise<Record<string, string>> {
  while (!stdout().includes('ALIBABA_CLOUD_ACCESS_KEY_SECRET=')) await once(child.stdout, 'data')
  return Object.fromEntries(
    [...stdout().matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
  )
}

test('prints the settings a service needs to call it, logs arrivals, and prints the report when it is stopped', async () => {
  const arrivals = join(await scratchFolder(), 'arrivals')
  const options = ['--port', '0', '--latency', '0', '--security-token', 'token', '--arrivals', arrivals]
  const running = simulate(...options)
  const settings = await settingsOf(running)
  const client = createCheckResultClient({
    endpoint: settings['CHECKRESULT_ENDPOINT'] ?? '',
    credentials: handingOut(() => ({
      accessKeyId: settings['ALIBABA_CLOUD_ACCESS_KEY_ID'] ?? '',
      accessKeySecret: settings['ALIBABA_CLOUD_ACCESS_KEY_SECRET'] ?? '',
      securityToken: settings['ALIBABA_CLOUD_SECURITY_TOKEN'],
    })),
    timeoutMs: 5_000,
  })
  const reply = await client.check({ transactionId: 'passhkid2018x1', merchantBizId: 'biz1' }, 5_000)
  await client.close()
  expect(reply).toMatchObject({ status: 200, code: 'Success' })
  running.child.kill('SIGINT')
  const { code, stdout } = await running.ended()
  expect(code).toBe(0)
  const report: unknown = JSON.parse(stdout.slice(stdout.indexOf('{')))
  expect(report).toMatchObject({ calls: 1, callsByCode: { Success: 1 } })
  expect(await readFile(arrivals, 'utf8')).toMatch(/^\d+ passhkid2018 Success\n$/)
})

test('--help lists every scenario', async () => {
  const { code, stdout } = await simulate('--help').ended()
  expect(code).toBe(0)
  for (const name of ['passhkid2018', 'riskpassport', 'notyet', 'brokencomma']) {
    expect(stdout).toMatch(new RegExp(`^  ${name} +\\S`, 'm'))
  }
})

test.each([
  [['--qps', '0'], 'At least 1, or unlimited.'],
  [['--latency', 'long'], 'A whole number is wanted.'],
  [['--mix', 'passhkid2018=-1'], 'Weights are numbers from 0 on.'],
  [['--arrivals', '/nowhere/arrivals'], '/nowhere/arrivals cannot be written (ENOENT): choose another'],
  [['--mix', 'nosuchthing=1'], 'There is no scenario "nosuchthing"; --help lists them.'],
])('%j is refused with a sentence', async (options, sentence) => {
  const { code, stderr } = await simulate('--port', '0', ...options).ended()
  expect(code).toBe(1)
  expect(stderr).toContain(sentence)
})
