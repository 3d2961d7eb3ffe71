/**
 * `npm run test:fuzz`: processes random records and answers as a test, configured by arguments. Exit code 0 if all
 * checks passed.
 */
import { startVitest } from 'vitest/node'
import { parseOptions, passOn } from './options.ts'

const options = parseOptions(process.argv.slice(2))
passOn(options, process.env)
process.stdout.write(
  `Seed ${options.seed}. Repeat these records and answers with \`--seed ${options.seed}\`.\n`,
)
const vitest = await startVitest('test', ['fuzz.test.ts'], { project: ['fuzz'], watch: false })
await vitest.close()
