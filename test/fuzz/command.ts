/** `npm run test:fuzz`: random records and answers as a test, chosen by arguments. Exit code 0 if everything held. */
import { startVitest } from 'vitest/node'
import { parseOptions, passOn } from './options.ts'

const options = parseOptions(process.argv.slice(2))
passOn(options, process.env)
process.stdout.write(
  `Seed ${options.seed}: \`--seed ${options.seed}\` repeats the records and the answers.\n`,
)
const vitest = await startVitest('test', ['fuzz.test.ts'], { config: 'vitest.fuzz.config.ts', watch: false })
await vitest.close()
