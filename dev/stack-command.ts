/** `npm run stack`: keeps one stack up until Ctrl-C. Only the settings go to standard output. */
import closeWithGrace from 'close-with-grace'
import { StackError } from './stack/stack-error.ts'
import { startStack, type Stack } from './stack/stack.ts'

let stack: Stack | undefined

// A signal during the start needs nothing here: the servers die with this process.
closeWithGrace({ logger: false }, async ({ err }) => {
  if (err) say(err.stack ?? err.message)
  await stack?.stop()
})

try {
  stack = await startStack({ onProgress: say, onCrash: fail })
  process.stdout.write(
    `export KAFKA_BROKERS=${stack.brokers.join()}\nexport SCHEMA_REGISTRY_URL=${stack.registryUrl}\n`,
  )
  say(`Logs are in ${stack.dataDir}. Ctrl-C stops it.`)
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
