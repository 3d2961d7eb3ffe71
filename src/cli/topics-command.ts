/** `topics create`: creates the topics that the service needs, and reports those that exist already. */
import type { Command } from 'commander'
import type { TopicOutcome } from '../adapters/kafka/admin/topics.ts'
import { integer } from '../config/arguments.ts'
import { EXIT_FAILED } from '../config/exit-codes.ts'
import { settingsHelp, withSettings } from './settings.ts'

interface Options {
  readonly partitions: number
  readonly replicationFactor: number
}

export function addTopicsCommand(program: Command): void {
  const topics = program.command('topics').description('create the Kafka topics')
  topics
    .command('create')
    .description(
      'create the input, result, retry and dead-letter topics that do not exist yet, and widen the retry topics to the input topic',
    )
    .requiredOption('--partitions <N>', 'number of partitions of each new topic', integer(1))
    .requiredOption(
      '--replication-factor <N>',
      'number of copies of each partition; use 3 in production',
      integer(1),
    )
    .addHelpText('after', settingsHelp('needs KAFKA_BROKERS; uses those of Kafka and DEFER_DELAYS'))
    .action((options: Options) => create(options))
}

async function create(options: Options): Promise<void> {
  await withSettings(['kafka', 'topics', 'defer'], async (config) => {
    const [{ createKafkaClient }, { createTopics, withAdmin }, service, { createLog }, { VERSION }] =
      await Promise.all([
        import('../adapters/kafka/client.ts'),
        import('../adapters/kafka/admin/topics.ts'),
        import('../app/settings.ts'),
        import('../adapters/pino/log.ts'),
        import('../version.ts'),
      ])
    const log = createLog({ level: 'silent', name: 'checkresult-stream', version: VERSION })
    const { kafka } = createKafkaClient(service.kafkaSettings(config), log)
    const names = service.topicNames(config)
    const { outcomes, notices } = await withAdmin(kafka, (admin) =>
      createTopics(admin, { names, ...options }),
    )
    const report = reportOf({
      outcomes,
      requested: options.partitions,
      input: names.input,
      retry: names.retry,
    })
    for (const { message } of notices) process.stderr.write(`Warning: ${message}\n`)
    for (const line of report.lines) process.stdout.write(`${line}\n`)
    for (const warning of report.warnings) process.stderr.write(`Warning: ${warning}\n`)
    if (report.error === null) return
    process.stderr.write(`${report.error}\n`)
    process.exitCode = EXIT_FAILED
  })
}

interface Done {
  readonly outcomes: readonly TopicOutcome[]
  /** The value of --partitions. */
  readonly requested: number
  readonly input: string
  readonly retry: readonly string[]
}

export interface Report {
  /** One per topic. */
  readonly lines: readonly string[]
  readonly warnings: readonly string[]
  /** Null if the service can run with these topics. */
  readonly error: string | null
}

export function reportOf({ outcomes, requested, input, retry }: Done): Report {
  const inputPartitions = outcomes.find(({ topic }) => topic === input)?.partitions ?? 0
  const isRetry = ({ topic }: TopicOutcome): boolean => retry.includes(topic)
  const tooWide = outcomes.filter((one) => isRetry(one) && one.partitions > inputPartitions)
  // A retry topic has as many partitions as the input topic, whatever was requested.
  const different = outcomes.filter((one) => !isRetry(one) && one.partitions !== requested)
  return {
    lines: outcomes.map((one) => lineOf(one, different.includes(one) ? requested : null)),
    warnings: different.length === 0 ? [] : [differenceWarning(different, requested)],
    error:
      tooWide.length === 0
        ? null
        : `Retry topics have more partitions than the input topic ${input}, which has ${inputPartitions}: ${namesOf(tooWide)}. Add ` +
          `partitions to the input topic until the numbers are equal.`,
  }
}

function differenceWarning(different: readonly TopicOutcome[], requested: number): string {
  const narrower = different.some(({ partitions }) => partitions < requested)
  const advice = narrower
    ? 'To add partitions, use `kafka-topics.sh --alter --partitions`, then run this command again; events of a key then go to another partition than before.'
    : 'Kafka cannot remove partitions.'
  const found = different.map(({ topic, partitions }) => `${topic} (${partitions})`).join(', ')
  return `The number of partitions differs from the requested ${requested}: ${found}. Existing topics were not changed. ${advice}`
}

function lineOf(outcome: TopicOutcome, requested: number | null): string {
  const partitions = count(outcome.partitions)
  switch (outcome.kind) {
    case 'created':
      return `created  ${outcome.topic}  ${partitions}`
    case 'exists':
      return `exists   ${outcome.topic}  ${partitions}${requested === null ? '' : `, not the requested ${requested}`}`
    case 'widened':
      return `widened  ${outcome.topic}  from ${outcome.from} to ${partitions}, to match the input topic`
  }
}

function namesOf(outcomes: readonly TopicOutcome[]): string {
  return outcomes.map(({ topic }) => topic).join(', ')
}

function count(partitions: number): string {
  return `${partitions} ${partitions === 1 ? 'partition' : 'partitions'}`
}
