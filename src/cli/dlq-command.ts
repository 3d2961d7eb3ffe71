/** `dlq`: lists, shows, counts and redrives dead letters. */
import type { Command } from 'commander'
import type { DeadLetterPosition } from '../core/dead-letters/stored-dead-letter.ts'
import type { ListOptions } from './dlq/list.ts'
import { integer, nonEmpty } from '../config/arguments.ts'
import { addFilters, position } from './dlq/options.ts'
import type { RedriveCommandOptions } from './dlq/redrive.ts'
import type { ShowOptions } from './dlq/show.ts'
import type { StatsOptions } from './dlq/stats.ts'
import type { DlqConfig } from './dlq/dead-letter-topic.ts'
import { isRegistrySet, settingsHelp, withSettings } from './settings.ts'

const LIST_LIMIT = 50
const SETTINGS = settingsHelp('needs KAFKA_BROKERS')
const READING_SETTINGS = settingsHelp('needs KAFKA_BROKERS, and SCHEMA_REGISTRY_URL to read Avro events')
/** All of them are in memory at once. */
const MAX_LIST_LIMIT = 100_000

export function addDlqCommand(program: Command): void {
  const dlq = program.command('dlq').description('list, show, count and redrive dead letters')
  addFilters(dlq.command('list'))
    .description('list the waiting dead letters, newest first')
    .option('--limit <N>', 'maximum number of dead letters to list', integer(1, MAX_LIST_LIMIT), LIST_LIMIT)
    .option('--transaction-id <id>', 'only dead letters of this transaction; reads the events', nonEmpty)
    .option('--show-transaction-ids', 'add a column with the transaction ids; reads the events')
    .option('--redriven', 'list the dead letters that were redriven instead')
    .option('--json', 'print JSON')
    .addHelpText('after', READING_SETTINGS)
    .action((options: ListOptions) => {
      const run = async (config: DlqConfig): Promise<void> =>
        (await import('./dlq/list.ts')).list(config, options)
      const readsEvents = options.transactionId !== undefined || options.showTransactionIds === true
      return readsEvents ? withRegistryIfSet(run) : withSettings(PARTS, run)
    })
  dlq
    .command('show')
    .description('show everything about one dead letter except personal data')
    .argument('<partition:offset>', 'its DLQ position, as `dlq list` prints it', position)
    .option('--show-personal', "also print the key, the value and the event's own headers")
    .option('--json', 'print JSON')
    .addHelpText('after', READING_SETTINGS)
    .action((at: DeadLetterPosition, options: ShowOptions) =>
      withRegistryIfSet(async (config) => (await import('./dlq/show.ts')).show(config, at, options)),
    )
  addFilters(dlq.command('stats'))
    .description('count the waiting dead letters by reason and code')
    .option('--json', 'print JSON')
    .addHelpText('after', SETTINGS)
    .action((options: StatsOptions) =>
      withSettings([...PARTS, 'deadLetters'], async (config) =>
        (await import('./dlq/stats.ts')).stats(config, options),
      ),
    )
  addFilters(dlq.command('redrive'))
    .description(
      'print which dead letters would be written to the input topic again; with --execute, write them, exactly once',
    )
    .option('--execute', 'redrive them; without this option nothing is changed')
    .option('--json', 'print JSON')
    .addHelpText('after', SETTINGS)
    .action((options: RedriveCommandOptions) =>
      withSettings([...PARTS, 'deadLetters', 'compression'], async (config) =>
        (await import('./dlq/redrive.ts')).redriveCommand(config, options),
      ),
    )
}

/** The registry is only needed to read Avro events, so the commands that read events work without it if it is not configured. */
function withRegistryIfSet(command: (config: DlqConfig) => Promise<void>): Promise<void> {
  return isRegistrySet() ? withSettings([...PARTS, 'registry'], command) : withSettings(PARTS, command)
}

const PARTS = ['kafka', 'topics', 'defer'] as const
