/** `dlq`: the dead letters, looked at and put back. */
import type { Command } from 'commander'
import type { LetterPlace } from '../core/letter.ts'
import type { ListOptions } from './dlq/list.ts'
import { addFilters, place, wholeNumber } from './dlq/options.ts'
import type { RedriveCommandOptions } from './dlq/redrive.ts'
import type { ShowOptions } from './dlq/show.ts'
import type { StatsOptions } from './dlq/stats.ts'
import { withSettings } from './settings.ts'

const LIST_LIMIT = 50

export function addDlqCommand(program: Command): void {
  const dlq = program.command('dlq').description('the dead letters')
  addFilters(dlq.command('list'))
    .description('the letters that wait, newest first')
    .option('--limit <N>', 'show so many', wholeNumber, LIST_LIMIT)
    .option('--redriven', 'those that were put back instead')
    .option('--json', 'for programs')
    .action((options: ListOptions) =>
      withSettings(async (config) => (await import('./dlq/list.ts')).list(config, options)),
    )
  dlq
    .command('show')
    .description('all there is to say of one letter')
    .argument('<partition:offset>', 'its place in the dead-letter topic, as `dlq list` shows it', place)
    .option('--show-personal', "its key, its value and the event's own headers too")
    .action((at: LetterPlace, options: ShowOptions) =>
      withSettings(async (config) => (await import('./dlq/show.ts')).show(config, at, options)),
    )
  addFilters(dlq.command('stats'))
    .description('how many wait, by reason and code')
    .option('--json', 'for programs')
    .action((options: StatsOptions) =>
      withSettings(async (config) => (await import('./dlq/stats.ts')).stats(config, options)),
    )
  addFilters(dlq.command('redrive'))
    .description('say what would be put back into the input topic; with --execute, put it back, exactly once')
    .option('--execute', 'do it')
    .option('--json', 'for programs')
    .action((options: RedriveCommandOptions) =>
      withSettings(async (config) => (await import('./dlq/redrive.ts')).redriveCommand(config, options)),
    )
}
