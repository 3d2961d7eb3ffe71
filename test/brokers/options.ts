/** Options of `npm run test:brokers`. */
import { Command } from 'commander'
import { TESTED_KAFKA } from '../../dev/stack/kafka-version.ts'
import { integer } from '../../src/config/arguments.ts'
import { names } from '../support/arguments.ts'

export interface Options {
  readonly kafka: readonly string[]
  /** Factor for the time limits within which work must resume. */
  readonly slack: number
}

/** Exits with commander's error message if the arguments are invalid. */
export function parseOptions(args: readonly string[]): Options {
  const command = new Command('test:brokers')
    .description('Runs the exactly-once and churn tests on several versions of Kafka.')
    .option(
      '--kafka <versions>',
      `run only on these, separated by commas (default: ${TESTED_KAFKA.join()})`,
      names,
    )
    .option('--slack <factor>', 'multiply the time limits, for slow or shared machines', integer(1))
    .parse(args, { from: 'user' })
  const { kafka = TESTED_KAFKA, slack = 1 } = command.opts<Partial<Options>>()
  return { kafka, slack }
}
