import { CommanderError, type Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { argumentsOf, createProgram } from '../../../src/cli/program.ts'

interface Output {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** The output and exit code of the command line before a command runs. */
async function outputOf(...words: string[]): Promise<Output> {
  let out = ''
  let err = ''
  const program = createProgram()
  for (const command of withSubcommands(program)) {
    command
      .exitOverride()
      .configureOutput({ writeOut: (text) => (out += text), writeErr: (text) => (err += text) })
  }
  const end: unknown = await program.parseAsync(words, { from: 'user' }).catch((error: unknown) => error)
  if (!(end instanceof CommanderError)) throw new Error('The command was executed.')
  return { code: end.exitCode, out, err }
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)]
}

describe('an unknown command or option', () => {
  test.each([
    [['topic', 'create'], "error: unknown command 'topic'\n(Did you mean topics?)"],
    [['rnu'], "error: unknown command 'rnu'\n(Did you mean run?)"],
    [['dlq', 'lst'], "error: unknown command 'lst'\n(Did you mean list?)"],
    [['config', 'chek'], "error: unknown command 'chek'\n(Did you mean check?)"],
    [['dlq', 'list', '--reson', 'rejected'], "error: unknown option '--reson'\n(Did you mean --reason?)"],
    [
      ['topics', 'create', '--partitions', '3', '--replication-factor', '3', '--partition', '3'],
      "error: unknown option '--partition'\n(Did you mean --partitions?)",
    ],
  ])('%j gets a suggestion', async (words, message) => {
    const { code, out, err } = await outputOf(...words)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain(message)
    expect(err).toContain('(add --help for the options)')
  })

  test('an empty transaction id is refused', async () => {
    const { code, err } = await outputOf('dlq', 'list', '--transaction-id', '')
    expect(code).toBe(1)
    expect(err).toContain("'--transaction-id <id>' argument '' is invalid. Expected text that is not empty.")
  })

  test('an excess argument is named', async () => {
    const { code, err } = await outputOf('run', 'now')
    expect(code).toBe(1)
    expect(err).toContain("error: too many arguments for 'run'")
  })
})

test('runs the service if there are no arguments', () => {
  expect(argumentsOf([])).toEqual(['run'])
  expect(argumentsOf(['--help'])).toEqual(['--help'])
})

test('--help lists every command in one line and the exit codes', async () => {
  const { code, out } = await outputOf('--help')
  expect(code).toBe(0)
  for (const name of ['run', 'config', 'topics', 'schemas', 'dlq', 'lookup', 'quota', 'simulate']) {
    expect(out).toMatch(new RegExp(`^  ${name}\\b.* \\S`, 'm'))
  }
  expect(out).toContain('Exit codes: 0 done, 1 failed')
  expect(out.replaceAll(/\s+/g, ' ')).toContain(
    'Settings are environment variables (docs/settings.md). `config check` checks them.',
  )
})

test.each([
  ['run'],
  ['config', 'check'],
  ['topics', 'create'],
  ['schemas', 'register'],
  ['dlq', 'list'],
  ['lookup'],
  ['quota', 'show'],
])('the help of %s %s says which settings it uses', async (...words) => {
  expect((await outputOf(...words, '--help')).out).toMatch(/^Settings: .+ See docs\/settings\.md\.$/m)
})

describe('an invalid option value', () => {
  test.each([
    [['topics', 'create', '--partitions', '0', '--replication-factor', '3'], 'Expected an integer >= 1.'],
    [['topics', 'create', '--partitions', '1e3', '--replication-factor', '3'], 'Expected an integer >= 1.'],
    [['quota', 'set', '0'], 'Expected an integer from 1 to 100000.'],
    [['dlq', 'list', '--limit', '0'], 'Expected an integer from 1 to 100000.'],
    [['dlq', 'list', '--older-than', '1'], 'Expected a duration such as 90s, 15m, 6h or 2d.'],
    [['dlq', 'list', '--reason', 'broken'], 'Expected one of undecodable, rejected,'],
    [['dlq', 'show', '17'], 'Expected a DLQ position, partition:offset, as `dlq list` prints it.'],
    [['dlq', 'list', '--at', '17'], 'Expected a DLQ position, partition:offset, as `dlq list` prints it.'],
  ])('%j reports the expected value', async (words, message) => {
    const { code, err } = await outputOf(...words)
    expect(code).toBe(1)
    expect(err).toContain(message)
  })
})
