/** What a run is to do: from the command's arguments to the tests by way of the environment. */
import { randomInt } from 'node:crypto'
import { Command, Option } from 'commander'
import { integer } from '../../src/cli/arguments.ts'
import { MAX_SEEDS, byEnvironment, names } from '../support/arguments.ts'

export interface Options {
  readonly short: boolean
  /** Parts of names; empty means all. */
  readonly only: readonly string[]
  /** Which replicas are hit. */
  readonly seed: number
  /**
   * For a machine that is slow or shared: the guard against jitter is so many times as long, for there the calls' way to
   * the simulator is itself not even, and what timings may lose is multiplied by it.
   */
  readonly slack: number
  /** A folder for what the replicas log, and for the simulator's logs of arrivals. */
  readonly logs: string | null
  /** Keep the figures for the docs. */
  readonly save: boolean
}

/** Ends the process with commander's words when they cannot be understood. */
export function parseOptions(args: readonly string[]): Options {
  const command = new Command('test:quota')
    .description('real Kafka, real replicas, and every call counted in nanoseconds where it arrives')
    .option('--short', 'only the cases that matter most', false)
    .option(
      '--only <parts of names>',
      'only cases whose names contain one of these, separated by commas',
      names,
    )
    .option('--seed <number>', 'to repeat a run', integer(1))
    .option(
      '--slack <factor>',
      'allow so many times the time, on a machine that is slow or shared',
      integer(1),
    )
    .option('--logs <folder>', 'keep what the replicas log and when each call arrived')
    .addOption(
      new Option(
        '--save',
        'if all passes, keep the figures in bench/ and update the tables in docs/',
      ).conflicts('slack'),
    )
    .parse(args, { from: 'user' })
  const given = command.opts<Partial<Options>>()
  return {
    short: given.short ?? false,
    only: given.only ?? [],
    seed: given.seed ?? randomInt(MAX_SEEDS),
    slack: given.slack ?? 1,
    logs: given.logs ?? null,
    save: given.save ?? false,
  }
}

export const { passOn, readOptions } = byEnvironment('QUOTA_OPTIONS', parseOptions)
