/** The options of `npm run bench`. */
import { Command, Option } from 'commander'
import { integer } from '../../src/config/arguments.ts'
import { DELIVERIES, type Delivery } from '../../src/core/delivery.ts'

/** The service, or the hand-written consumer in its place. */
export type Contender = 'service' | 'hand-rolled'
export type UpstreamKind = 'lean' | 'simulator'

export interface Options {
  readonly partitions: readonly number[]
  readonly backlog: number
  readonly runs: number
  readonly perSecond: number
  readonly seconds: number
  readonly upstream: UpstreamKind
  readonly contenders: readonly Contender[]
  readonly delivery: Delivery
  readonly save: boolean
}

/** Exits with commander's error message if the arguments are invalid. */
export function parseOptions(args: readonly string[]): Options {
  const command = new Command('bench')
    .description(
      'Measures how fast the service drains a backlog, its latency under a steady load, and what it costs, by number ' +
        'of partitions and in turns with a hand-written consumer.',
    )
    .option('--partitions <N,N,...>', 'numbers of partitions to measure', integers, [8])
    .option('--backlog <N>', 'number of events that wait when the program starts', integer(2), 50_000)
    .option('--runs <N>', 'number of starts of each program; the figures are medians', integer(1), 3)
    .option('--per-second <N>', 'events per second of the steady load', integer(1), 200)
    .option('--seconds <N>', 'duration of the steady load, without and again with a reader', integer(1), 5)
    .addOption(
      new Option('--upstream <kind>', 'server that stands in for the API: a minimal one, or the simulator')
        .choices(['lean', 'simulator'])
        .default('lean'),
    )
    .addOption(
      new Option('--contender <kind>', 'programs to measure: the service, a hand-written consumer, or both')
        .choices(['both', 'service', 'hand-rolled'])
        .default('both'),
    )
    .addOption(
      new Option('--delivery <mode>', 'KAFKA_DELIVERY of the service')
        .choices(DELIVERIES)
        .default('exactly-once'),
    )
    .option('--save', 'save the figures in bench/ and update the tables in docs/', false)
    .parse(args, { from: 'user' })
  const { contender, ...options } = command.opts<Omit<Options, 'contenders'> & { contender: string }>()
  if (options.upstream === 'simulator' && contender !== 'service')
    command.error(
      'The simulator rejects the calls of the hand-written consumer, which are not signed. Add --contender service.',
    )
  const all: readonly Contender[] = ['service', 'hand-rolled']
  return { ...options, contenders: all.filter((one) => contender === 'both' || contender === one) }
}

function integers(text: string): number[] {
  return text.split(',').map(integer(1))
}
