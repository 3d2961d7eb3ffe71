/** The command line: all commands, and what they share. */
import { Command } from 'commander'
import { NAME, VERSION } from '../version.ts'
import { addConfigCommand } from './config-command.ts'
import { addDlqCommand } from './dlq-command.ts'
import { addLookupCommand } from './lookup-command.ts'
import { addQuotaCommand } from './quota-command.ts'
import { addRunCommand } from './run-command.ts'
import { addSchemasCommand } from './schemas-command.ts'
import { addSimulateCommand } from './simulate-command.ts'
import { addTopicsCommand } from './topics-command.ts'

/**
 * `run` is not commander's default command: commander would hand any unknown word to it as an argument, and complain about
 * the number of arguments instead of suggesting a command. {@link argumentsOf} makes it the default.
 */
export function createProgram(): Command {
  const program = new Command(NAME)
    .description(
      'Reads "verification completed" events from Kafka, asks Alibaba Cloud ID Verification for the answer, and publishes ' +
        'each answer as an Avro result, exactly once. Settings are environment variables (docs/settings.md). `config check` checks them.',
    )
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .showHelpAfterError('(add --help for the options)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed or wrong arguments (a message says why), 2 settings are invalid (found before any connection is made).',
    )
  for (const add of COMMANDS) add(program)
  return program
}

const COMMANDS = [
  addRunCommand,
  addConfigCommand,
  addTopicsCommand,
  addSchemasCommand,
  addDlqCommand,
  addLookupCommand,
  addQuotaCommand,
  addSimulateCommand,
] as const

/** The words after the program's name; without any, `run`. */
export function argumentsOf(words: readonly string[]): readonly string[] {
  return words.length === 0 ? ['run'] : words
}
