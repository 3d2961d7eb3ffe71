/** checkresult-stream: reads the command line and runs one command. */
import { Command } from 'commander'
import { addConfigCommand } from './cli/config-command.ts'
import { addDlqCommand } from './cli/dlq-command.ts'
import { addLookupCommand } from './cli/lookup-command.ts'
import { addQuotaCommand } from './cli/quota-command.ts'
import { addRunCommand } from './cli/run-command.ts'
import { addSchemasCommand } from './cli/schemas-command.ts'
import { addSimulateCommand } from './cli/simulate-command.ts'
import { addTopicsCommand } from './cli/topics-command.ts'
import { NAME, VERSION } from './version.ts'

const program = new Command(NAME)
  .description('Turns completed identity verifications on Kafka into normalised Avro results, exactly once.')
  .version(VERSION)
  .showHelpAfterError('(add --help for the options)')

addRunCommand(program)
addSimulateCommand(program)
addTopicsCommand(program)
addSchemasCommand(program)
addConfigCommand(program)
addLookupCommand(program)
addDlqCommand(program)
addQuotaCommand(program)

await program.parseAsync()
