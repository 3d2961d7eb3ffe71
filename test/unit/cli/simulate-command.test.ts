import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Command, CommanderError } from 'commander'
import { expect, onTestFinished, test } from 'vitest'
import { startCommand, type Running } from '../../../dev/harness/commands.ts'
import { createCheckResultClient } from '../../../src/adapters/alibaba/client.ts'
import { addSimulateCommand } from '../../../src/cli/simulate-command.ts'
import { handingOut } from '../../support/credentials.ts'

/** Runs the command as a separate process that ends with the test. */
function simulate(...options: string[]): Running {
  const running = startCommand(['simulate', ...options], {})
  onTestFinished(async () => {
    running.signal('SIGKILL')
    await running.exited
  })
  return running
}

/** The output and exit code of the command line if nothing is started. */
async function parsed(...options: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const output = { stdout: '', stderr: '' }
  const program = new Command().exitOverride().configureOutput({
    writeOut: (text) => (output.stdout += text),
    writeErr: (text) => (output.stderr += text),
  })
  addSimulateCommand(program)
  const end: unknown = await program
    .parseAsync(['simulate', ...options], { from: 'user' })
    .catch((error: unknown) => error)
  if (!(end instanceof CommanderError)) throw new Error('The command did not fail.')
  return { code: end.exitCode, ...output }
}

test('simulate prints the settings for a service, logs calls, and prints a report when it stops', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'simulate-'))
  onTestFinished(async () => rm(folder, { recursive: true }))
  const arrivals = join(folder, 'arrivals')
  const options = ['--port', '0', '--latency', '0', '--security-token', 'token', '--arrivals', arrivals]
  const running = simulate(...options)
  await running.line(/ALIBABA_CLOUD_SECURITY_TOKEN=/)
  const settings = new Map(
    [...running.output().matchAll(/^export (\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  )
  const client = createCheckResultClient({
    endpoint: settings.get('CHECKRESULT_ENDPOINT') ?? '',
    credentials: handingOut(() => ({
      accessKeyId: settings.get('ALIBABA_CLOUD_ACCESS_KEY_ID') ?? '',
      accessKeySecret: settings.get('ALIBABA_CLOUD_ACCESS_KEY_SECRET') ?? '',
      securityToken: settings.get('ALIBABA_CLOUD_SECURITY_TOKEN'),
    })),
    timeoutMs: 5_000,
  })
  const reply = await client.check({ transactionId: 'passhkid2018x1', merchantBizId: 'biz1' }, 5_000)
  await client.close()
  expect(reply).toMatchObject({ status: 200, code: 'Success' })
  running.signal('SIGINT')
  expect(await running.exited).toBe(0)
  await running.line(/^\}$/)
  const output = running.output()
  const report: unknown = JSON.parse(output.slice(output.indexOf('{')))
  expect(report).toMatchObject({ calls: 1, callsByCode: { Success: 1 } })
  expect(await readFile(arrivals, 'utf8')).toMatch(/^\d+ passhkid2018 Success\n$/)
})

test('simulate --help lists every scenario', async () => {
  const { code, stdout } = await parsed('--help')
  expect(code).toBe(0)
  for (const name of ['passhkid2018', 'riskpassport', 'notyet', 'brokencomma']) {
    expect(stdout).toMatch(new RegExp(`^  ${name} +\\S`, 'm'))
  }
})

test.each([
  [['--qps', '0'], 'Expected an integer >= 1, or unlimited.'],
  [['--latency', 'long'], 'Expected an integer >= 0.'],
  [['--mix', 'passhkid2018=-1'], 'Expected weights >= 0, for example passpassport=3,notyet=1.'],
])('simulate %j is rejected with a message', async (options, message) => {
  const { code, stderr } = await parsed('--port', '0', ...options)
  expect(code).toBe(1)
  expect(stderr).toContain(message)
})

test.each([
  [
    ['--mix', 'nosuchthing=1'],
    /Unknown scenario "nosuchthing"\. `npm start -- simulate --help` lists all scenarios\./,
  ],
  [['--arrivals', '/nowhere/arrivals'], /^Cannot write to \/nowhere\/arrivals \(ENOENT\): choose another/],
])('simulate %j fails with a message', async (options, message) => {
  const running = simulate('--port', '0', ...options)
  await running.line(message)
  expect(await running.exited).toBe(1)
})

test('simulate says where the simulator is if it is missing, as in the image of the service', async () => {
  const root = await mkdtemp(join(tmpdir(), 'simulate-'))
  onTestFinished(async () => rm(root, { recursive: true }))
  const checkout = fileURLToPath(new URL('../../../', import.meta.url))
  await symlink(join(checkout, 'node_modules'), join(root, 'node_modules'))
  for (const name of ['package.json', 'src'])
    await cp(join(checkout, name), join(root, name), { recursive: true })
  const ended = promisify(execFile)(process.execPath, [join(root, 'src/main.ts'), 'simulate', '--port', '0'])
  await expect(ended).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr:
      'The simulator is not part of this image. Run `npm start -- simulate` in a checkout, or `docker compose up -d` for everything.\n',
  })
})

test('help simulate says how to list the options', async () => {
  const program = new Command().exitOverride()
  const written: string[] = []
  program.configureOutput({ writeOut: (text) => void written.push(text) })
  addSimulateCommand(program)
  await expect(program.parseAsync(['help', 'simulate'], { from: 'user' })).rejects.toMatchObject({
    exitCode: 0,
  })
  expect(written.join('')).toContain('`simulate --help` prints the options and scenarios.')
})
