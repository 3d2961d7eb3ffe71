/** Options of a run, passed from the command's arguments to the tests in an environment variable. */
import { randomInt } from 'node:crypto'
import { Command, Option } from 'commander'
import { integer } from '../../src/config/arguments.ts'
import { MAX_SEEDS, byEnvironment, names } from '../support/arguments.ts'

export interface Options {
  readonly short: boolean
  /** Substrings of names. Empty selects all scenarios. */
  readonly only: readonly string[]
  /** Determines random choices, for example which broker fails. */
  readonly seed: number
  /** Minimum per scenario. */
  readonly events: number
  /** Factor for the time limits within which work must resume. */
  readonly slack: number
  /** Number of events of a soak run without faults, or null to play scenarios. */
  readonly soak: number | null
  /** Folder for the logs of the replicas. */
  readonly logs: string | null
  /** Save the figures for the docs. */
  readonly save: boolean
}

/** The whole suite sends about 100,000 events. */
const EVENTS = 4_500

/** Exits with commander's error message if the arguments are invalid. */
export function parseOptions(args: readonly string[]): Options {
  const command = new Command('test:chaos')
    .description(
      'Injects faults into three Kafka brokers, three replicas and a simulated API, and checks every output.',
    )
    .option('--short', 'run only the most important scenarios')
    .option(
      '--only <parts of names>',
      'run only scenarios whose names contain one of these, separated by commas',
      names,
    )
    .option(
      '--seed <number>',
      'repeat the random choices of an earlier run (default: a random seed)',
      integer(1),
    )
    .option('--events <number>', 'minimum number of events per scenario (default: 4500)', integer(1))
    .option('--slack <factor>', 'multiply the time limits, for slow or shared machines', integer(1))
    .option(
      '--soak <events>',
      'send this many events without faults and check that memory does not grow',
      integer(1),
    )
    .option('--logs <folder>', 'write the logs of the replicas to this folder')
    .addOption(
      new Option(
        '--save',
        'if all scenarios pass, save the figures in bench/ and update the tables in docs/',
      ).conflicts('slack'),
    )
    .parse(args, { from: 'user' })
  const parsed = command.opts<Partial<Options>>()
  return {
    short: parsed.short ?? false,
    only: parsed.only ?? [],
    seed: parsed.seed ?? randomInt(MAX_SEEDS),
    events: parsed.events ?? EVENTS,
    slack: parsed.slack ?? 1,
    soak: parsed.soak ?? null,
    logs: parsed.logs ?? null,
    save: parsed.save ?? false,
  }
}

export const { passOn, readOptions } = byEnvironment('CHAOS_OPTIONS', parseOptions)
