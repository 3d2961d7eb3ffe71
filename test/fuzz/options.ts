/** Options of a run, passed from the command's arguments to the tests in an environment variable. */
import { randomInt } from 'node:crypto'
import { Command, Option } from 'commander'
import { integer } from '../../src/config/arguments.ts'
import { DELIVERIES, type Delivery } from '../../src/core/delivery.ts'
import { MAX_SEEDS, byEnvironment, names } from '../support/arguments.ts'

export interface Options {
  readonly records: number
  readonly seed: number
  readonly deliveries: readonly Delivery[]
  /** Record numbers. Empty means all. */
  readonly only: readonly number[]
  /** Factor for the time limits within which records must come out. */
  readonly slack: number
  /** Folder for the service's log. */
  readonly logs: string | null
}

const RECORDS = 10_000

/** Exits with commander's error message if the arguments are invalid. */
export function parseOptions(args: readonly string[]): Options {
  const command = new Command('test:fuzz')
    .description(
      'Sends random records through a real Kafka, with random API answers, and checks that each comes out exactly once.',
    )
    .option('--records <number>', 'number of records (default: 10,000)', integer(1))
    .option(
      '--seed <number>',
      'repeat the records and answers of an earlier run (default: a random seed)',
      integer(1),
    )
    .addOption(
      new Option('--delivery <mode>', 'delivery mode').choices(['both', ...DELIVERIES]).default('both'),
    )
    .option(
      '--only <numbers>',
      'replay only these records, separated by commas, each followed by a good one',
      numbers,
    )
    .option('--slack <factor>', 'multiply the time limits, for slow or shared machines', integer(1))
    .option('--logs <folder>', 'write the log of the service to this folder')
    .parse(args, { from: 'user' })
  const parsed = command.opts<
    Partial<Omit<Options, 'deliveries'>> & { readonly delivery: 'both' | Delivery }
  >()
  return {
    records: parsed.records ?? RECORDS,
    seed: parsed.seed ?? randomInt(MAX_SEEDS),
    deliveries: parsed.delivery === 'both' ? DELIVERIES : [parsed.delivery],
    only: parsed.only ?? [],
    slack: parsed.slack ?? 1,
    logs: parsed.logs ?? null,
  }
}

function numbers(text: string): number[] {
  return names(text).map(Number)
}

export const { passOn, readOptions } = byEnvironment('FUZZ_OPTIONS', parseOptions)
