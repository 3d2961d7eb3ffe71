/**
 * `npm run test:brokers`: runs the tests of exactly-once delivery and static membership, and the churn scenarios of the
 * chaos suite, on each version of Kafka, one after the other. Exit code 0 if all passed.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import Table from 'cli-table3'
import { parseKafkaVersion } from '../../dev/stack/kafka-version.ts'
import { providePrograms } from '../../dev/stack/programs.ts'
import { StackError } from '../../dev/stack/stack-error.ts'
import { REPLICA_SCENARIOS } from '../chaos/scenarios/replicas.ts'
import { parseOptions } from './options.ts'

interface Suite {
  readonly name: string
  readonly args: readonly string[]
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const CHURN = REPLICA_SCENARIOS.map(({ name }) => name).join()
const { kafka: versions, slack } = parseOptions(process.argv.slice(2))

const SUITES: readonly Suite[] = [
  { name: 'exactly-once', args: vitest('integration', 'exactly-once') },
  { name: 'static membership', args: vitest('alone', 'static-membership') },
  {
    name: 'churn',
    args: ['test/chaos/command.ts', '--only', CHURN, '--slack', String(slack)],
  },
]

try {
  // All of them first, so that a version that is not available ends the command at once.
  for (const version of versions) await providePrograms(say, parseKafkaVersion(version))
  const table = new Table({
    head: ['Kafka', ...SUITES.map(({ name }) => name)],
    style: { head: [], border: [] },
  })
  for (const version of versions) {
    const outcomes = SUITES.map((suite) => play(suite, version))
    if (outcomes.includes(false)) process.exitCode = 1
    table.push([version, ...outcomes.map((passed) => (passed ? 'passed' : 'FAILED'))])
  }
  say(table.toString())
} catch (error) {
  if (!(error instanceof StackError)) throw error
  say(error.message)
  process.exitCode = 1
}

function vitest(project: string, file: string): readonly string[] {
  return ['node_modules/vitest/vitest.mjs', 'run', '--project', project, `test/integration/${file}.test.ts`]
}

/** In a process of its own: the version is in its environment. */
function play({ name, args }: Suite, version: string): boolean {
  say(`\nKafka ${version}: ${name}`)
  const env = { ...process.env, STACK_KAFKA_VERSION: version }
  return spawnSync(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' }).status === 0
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
