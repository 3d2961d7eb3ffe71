/** Options of a run, passed from the command's arguments to the tests in an environment variable. */
import { randomInt } from 'node:crypto'
import { Command, Option } from 'commander'
import { integer } from '../../src/config/arguments.ts'
import { MAX_SEEDS, byEnvironment, names } from '../support/arguments.ts'

export interface Options {
  readonly short: boolean
  /** Substrings of names. Empty selects all cases. */
  readonly only: readonly string[]
  /** Determines which replicas are disturbed. */
  readonly seed: number
  /**
   * For slow or shared machines, where even local calls arrive with jitter: multiplies the quota guard and the
   * tolerance for lost permits.
   */
  readonly slack: number
  /** Folder for the logs of the replicas and for the simulator's arrival logs. */
  readonly logs: string | null
  /** Save the figures for the docs. */
  readonly save: boolean
}

/** Exits with commander's error message if the arguments are invalid. */
export function parseOptions(args: readonly string[]): Options {
  const command = new Command('test:quota')
    .description('Runs replicas against a real Kafka and checks the arrival time of every API call.')
    .option('--short', 'run only the most important cases')
    .option(
      '--only <parts of names>',
      'run only cases whose names contain one of these, separated by commas',
      names,
    )
    .option(
      '--seed <number>',
      'repeat the random choices of an earlier run (default: a random seed)',
      integer(1),
    )
    .option('--slack <factor>', 'multiply the tolerances, for slow or shared machines', integer(1))
    .option('--logs <folder>', 'write the logs of the replicas and the arrival times to this folder')
    .addOption(
      new Option(
        '--save',
        'if all cases pass, save the figures in bench/ and update the tables in docs/',
      ).conflicts('slack'),
    )
    .parse(args, { from: 'user' })
  const parsed = command.opts<Partial<Options>>()
  return {
    short: parsed.short ?? false,
    only: parsed.only ?? [],
    seed: parsed.seed ?? randomInt(MAX_SEEDS),
    slack: parsed.slack ?? 1,
    logs: parsed.logs ?? null,
    save: parsed.save ?? false,
  }
}

export const { passOn, readOptions } = byEnvironment('QUOTA_OPTIONS', parseOptions)
