/** `topics create`: makes the topics the service needs, and says what was there already. */
import { InvalidArgumentError, type Command } from 'commander'
import type { TopicOutcome } from '../adapters/kafka/topics.ts'
import { EXIT_FAILED, withSettings } from './settings.ts'

interface Options {
  readonly partitions: number
  readonly replicationFactor: number
}

export function addTopicsCommand(program: Command): void {
  const topics = program.command('topics').description('the Kafka topics')
  topics
    .command('create')
    .description('create the input, result, retry and dead-letter topics; leaves those alone that exist')
    .requiredOption('--partitions <N>', 'partitions of each topic', wholeNumber)
    .requiredOption('--replication-factor <N>', 'copies of each partition; 3 in production', wholeNumber)
    .action((options: Options) => create(options))
}

async function create(options: Options): Promise<void> {
  await withSettings(async (config) => {
    const [{ createKafkaClient }, { createTopics, withAdmin }, service, { createLog }, { VERSION }] =
      await Promise.all([
        import('../adapters/kafka/client.ts'),
        import('../adapters/kafka/topics.ts'),
        import('../service-settings.ts'),
        import('../adapters/pino/log.ts'),
        import('../version.ts'),
      ])
    const log = createLog({ level: 'silent', name: 'checkresult-stream', version: VERSION })
    const { kafka } = createKafkaClient(service.kafkaSettings(config), log)
    const names = service.topicNames(config)
    const { outcomes, notices } = await withAdmin(kafka, (admin) =>
      createTopics(admin, { names, ...options }),
    )
    for (const { message } of notices) process.stderr.write(`Warning: ${message}\n`)
    for (const outcome of outcomes) process.stdout.write(`${sentence(outcome)}\n`)
    const input = outcomes.find(({ topic }) => topic === names.input)
    const narrow = outcomes.filter(
      ({ topic, partitions }) => names.retry.includes(topic) && partitions !== input?.partitions,
    )
    if (narrow.length > 0) {
      process.stderr.write(
        'The retry topics have more partitions than the input topic: widen the input topic to match.\n',
      )
      process.exitCode = EXIT_FAILED
    }
  })
}

function sentence(outcome: TopicOutcome): string {
  const partitions = `${outcome.partitions} partitions`
  switch (outcome.kind) {
    case 'created':
      return `created  ${outcome.topic}  ${partitions}`
    case 'exists':
      return `exists   ${outcome.topic}  ${partitions}`
    case 'widened':
      return `widened  ${outcome.topic}  from ${outcome.from} to ${partitions}, as many as the input topic has`
  }
}

function wholeNumber(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('A whole number from 1 on is wanted.')
  return number
}
