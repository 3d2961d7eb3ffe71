/** What a run is to do: from the command's arguments to the tests by way of the environment. */
import { randomInt } from 'node:crypto'
import { Command, Option } from 'commander'
import { integer } from '../../src/cli/arguments.ts'
import { MAX_SEEDS, byEnvironment, names } from '../support/arguments.ts'

export interface Options {
  readonly short: boolean
  /** Parts of names; empty means all. */
  readonly only: readonly string[]
  /** Which brokers are hit, and the like. */
  readonly seed: number
  /** For each scenario, at least. */
  readonly events: number
  /** The times in which work must go on are multiplied by this. */
  readonly slack: number
  /** So many events in calm weather instead of scenarios; null for scenarios. */
  readonly soak: number | null
  /** A folder for what the replicas log. */
  readonly logs: string | null
  /** Keep the figures for the docs. */
  readonly save: boolean
}

/** 100,000 in all for the whole suite. */
const EVENTS = 4_500

/** Ends the process with commander's words when they cannot be understood. */
export function parseOptions(args: readonly string[]): Options {
  const command = new Command('test:chaos')
    .description('real Kafka of three brokers, three replicas, and what may happen to them')
    .option('--short', 'only the scenarios that matter most', false)
    .option(
      '--only <parts of names>',
      'only scenarios whose names contain one of these, separated by commas',
      names,
    )
    .option('--seed <number>', 'to repeat a run', integer(1))
    .option('--events <number>', 'events of each scenario, at least', integer(1))
    .option(
      '--slack <factor>',
      'allow so many times the time, on a machine that is slow or shared',
      integer(1),
    )
    .option('--soak <events>', 'no fault at all, but so many events, and memory watched', integer(1))
    .option('--logs <folder>', 'keep what the replicas log')
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
    events: given.events ?? EVENTS,
    slack: given.slack ?? 1,
    soak: given.soak ?? null,
    logs: given.logs ?? null,
    save: given.save ?? false,
  }
}

export const { passOn, readOptions } = byEnvironment('CHAOS_OPTIONS', parseOptions)
