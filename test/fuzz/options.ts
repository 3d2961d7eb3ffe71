/** What a run does: from the command's arguments to the tests by way of the environment. */
import { randomInt } from 'node:crypto'
import { Command, Option } from 'commander'
import { integer } from '../../src/cli/arguments.ts'
import { DELIVERIES, type Delivery } from '../../src/core/delivery.ts'
import { MAX_SEEDS, byEnvironment, names } from '../support/arguments.ts'

export interface Options {
  readonly records: number
  readonly seed: number
  readonly deliveries: readonly Delivery[]
  /** Numbers of records; empty means all. */
  readonly only: readonly number[]
  /** The times in which records must come out are multiplied by this. */
  readonly slack: number
  /** A folder for what the service logs. */
  readonly logs: string | null
}

const RECORDS = 10_000

/** Ends the process with commander's message if they cannot be understood. */
export function parseOptions(args: readonly string[]): Options {
  const command = new Command('test:fuzz')
    .description('random records and random answers on a real Kafka: each must come out exactly once')
    .option('--records <number>', 'how many records', integer(1))
    .option('--seed <number>', 'repeat a run', integer(1))
    .addOption(
      new Option('--delivery <mode>', 'delivery mode').choices(['both', ...DELIVERIES]).default('both'),
    )
    .option(
      '--only <numbers>',
      'replay only these records, separated by commas, each with a good one behind it',
      numbers,
    )
    .option(
      '--slack <factor>',
      'allow this many times the time, for a machine that is slow or shared',
      integer(1),
    )
    .option('--logs <folder>', 'keep what the service logs')
    .parse(args, { from: 'user' })
  const given = command.opts<
    Partial<Omit<Options, 'deliveries'>> & { readonly delivery: 'both' | Delivery }
  >()
  return {
    records: given.records ?? RECORDS,
    seed: given.seed ?? randomInt(MAX_SEEDS),
    deliveries: given.delivery === 'both' ? DELIVERIES : [given.delivery],
    only: given.only ?? [],
    slack: given.slack ?? 1,
    logs: given.logs ?? null,
  }
}

function numbers(text: string): number[] {
  return names(text).map(Number)
}

export const { passOn, readOptions } = byEnvironment('FUZZ_OPTIONS', parseOptions)
