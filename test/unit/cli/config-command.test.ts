import { Command } from 'commander'
import { expect, test } from 'vitest'
import { addConfigCommand } from '../../../src/cli/config-command.ts'
import { COMPLETE, SECRET, type Env } from '../config/environments.ts'

interface Run {
  readonly exitCode: number
  readonly out: string
  readonly err: string
}

function check(env: Env): Run {
  let out = ''
  let err = ''
  const program = new Command()
    .exitOverride()
    .showHelpAfterError('(add --help for the options)')
    .configureOutput({ writeOut: (text) => (out += text), writeErr: (text) => (err += text) })
  addConfigCommand(program, env)
  try {
    program.parse(['config', 'check'], { from: 'user' })
  } catch (error) {
    return { exitCode: (error as { exitCode: number }).exitCode, out, err }
  }
  return { exitCode: 0, out, err }
}

test('good settings are printed in columns, with where they come from and the way to credentials', () => {
  const { exitCode, out, err } = check({ ...COMPLETE, CHECKRESULT_QPS: '50' })
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
  expect(out).toMatch(/^CHECKRESULT_QPS +50 +environment$/m)
  expect(out).toMatch(/^CHECKRESULT_BURST +5 +default$/m)
  expect(out).toMatch(/^ALIBABA_CLOUD_ACCESS_KEY_SECRET +\*\*\* +environment$/m)
  expect(out).toMatch(/\n\nCredentials: access key\.\n$/)
  const columns = out
    .split('\n')
    .filter((line) => / (default|environment|file)$/.test(line))
    .map((line) => line.lastIndexOf('  '))
  expect(new Set(columns).size).toBe(1)
})

test('every fault is printed, and the exit code is 2', () => {
  const { exitCode, out, err } = check({
    ...COMPLETE,
    CHECKRESULT_QPS: '0',
    LOG_LEVEL: 'loud',
    OPS_PORTS: '1',
  })
  expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
  expect(err.trimEnd().split('\n')).toEqual([
    expect.stringMatching(/^CHECKRESULT_QPS is "0"/),
    expect.stringMatching(/^LOG_LEVEL is "loud"/),
    expect.stringMatching(/^OPS_PORTS is no setting/),
  ])
})

test('no secret is printed, whether the settings are good or not', () => {
  expect(check(COMPLETE).out).not.toContain(SECRET)
  expect(check({ ...COMPLETE, KAFKA_BROKERS: '' }).err).not.toContain(SECRET)
})
