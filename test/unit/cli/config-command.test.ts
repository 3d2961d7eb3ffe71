import { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { addConfigCommand } from '../../../src/cli/config-command.ts'
import { COMPLETE, SECRET, type Env } from '../config/environments.ts'

interface Run {
  readonly exitCode: number
  readonly out: string
  readonly err: string
}

function check(env: Env, ...options: string[]): Run {
  let out = ''
  let err = ''
  let exitCode = 0
  const program = new Command()
    .exitOverride()
    .showHelpAfterError('(add --help for the options)')
    .configureOutput({ writeOut: (text) => (out += text), writeErr: (text) => (err += text) })
  addConfigCommand(program, env, (code) => (exitCode = code))
  program.parse(['config', 'check', ...options], { from: 'user' })
  return { exitCode, out, err }
}

test('prints valid settings in columns with their sources and the credential source', () => {
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

test('prints every error and exits with code 2', () => {
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
    'OPS_PORTS is not a setting of checkresult-stream. Did you mean OPS_PORT?',
  ])
})

describe('config check --json', () => {
  test('prints the settings, their sources and warnings', () => {
    const { exitCode, out, err } = check({ ...COMPLETE, LOGLEVEL: 'warn' }, '--json')
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
    expect(JSON.parse(out)).toMatchObject({
      valid: true,
      settings: expect.arrayContaining([
        { name: 'ALIBABA_CLOUD_ACCESS_KEY_SECRET', value: '***', from: 'environment' },
        { name: 'LOG_LEVEL', value: 'info', from: 'default' },
      ]) as unknown,
      credentials: 'access key',
      errors: [],
      warnings: ['LOGLEVEL is set, but checkresult-stream does not read it. Did you mean LOG_LEVEL?'],
    })
  })

  test('prints the errors and exits with code 2', () => {
    const { exitCode, out, err } = check({ ...COMPLETE, LOG_LEVEL: 'loud', DLQ_MAX_REDRIVES: '3' }, '--json')
    expect({ exitCode, err }).toEqual({ exitCode: 2, err: '' })
    expect(JSON.parse(out)).toEqual({
      valid: false,
      settings: [],
      credentials: null,
      errors: [
        expect.stringMatching(/^LOG_LEVEL is "loud"/),
        expect.stringMatching(/^DLQ_MAX_REDRIVES was renamed: set DEAD_LETTER_MAX_REDRIVES instead\./),
      ],
      warnings: [],
    })
  })
})

test('prints warnings in addition to valid settings', () => {
  const { exitCode, out, err } = check({ ...COMPLETE, ALIBABA_CLOUD_ACCESS_KEY_SECRET: `"${SECRET}"` })
  expect(exitCode).toBe(0)
  expect(out).toMatch(/^LOG_LEVEL /m)
  expect(err).toMatch(
    /^Warning: The value of ALIBABA_CLOUD_ACCESS_KEY_SECRET begins and ends with a quotation mark/,
  )
})

test('prints no secret for valid or invalid settings', () => {
  expect(check(COMPLETE).out).not.toContain(SECRET)
  expect(check({ ...COMPLETE, KAFKA_BROKERS: '' }).err).not.toContain(SECRET)
})
