/** `npm run stack`: keeps one stack running until Ctrl-C. Only the settings go to standard output. */
import closeWithGrace from 'close-with-grace'
import { program } from 'commander'
import { startRedis, type LocalRedis } from './stack/redis.ts'
import { parseKafkaVersion, stackKafka } from './stack/kafka-version.ts'
import { StackError } from './stack/stack-error.ts'
import { startStack, type Stack } from './stack/stack.ts'

const { redis: withRedis, kafka: version } = program
  .description('Runs a Kafka broker and a schema registry until Ctrl-C.')
  .option('--kafka <version>', `run this version of Kafka (default: ${stackKafka()})`)
  .option('--redis', 'also run a Redis, for CHECKRESULT_QUOTA=redis')
  .parse()
  .opts<{ redis?: true; kafka?: string }>()

let stack: Stack | undefined
let redis: LocalRedis | undefined

// A signal during the start needs no handling: the servers end together with this process.
closeWithGrace({ logger: false }, async ({ err }) => {
  if (err) say(err.stack ?? err.message)
  await Promise.all([stack?.stop(), redis?.stop()])
})

try {
  const kafkaVersion = version === undefined ? stackKafka() : parseKafkaVersion(version)
  stack = await startStack({ kafkaVersion, onProgress: say, onCrash: fail })
  process.stdout.write(
    `export KAFKA_BROKERS=${stack.brokers.join()}\nexport SCHEMA_REGISTRY_URL=${stack.registryUrl}\n`,
  )
  if (withRedis === true) {
    redis = await startRedis({ onCrash: fail })
    process.stdout.write(`export CHECKRESULT_QUOTA=redis REDIS_URL=${redis.url}\n`)
  }
  say(`Logs are in ${stack.dataDir}. Press Ctrl-C to stop.`)
} catch (error) {
  if (!(error instanceof StackError)) throw error
  fail(error.message)
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

function fail(message: string): void {
  say(message)
  process.exit(1)
}
