/**
 * `npm run test:chaos` and `npm run test:soak`: run the scenarios that the arguments select, as tests. Exit code 0 if
 * all passed.
 */
import { startVitest } from 'vitest/node'
import { parseOptions, passOn } from './options.ts'

const options = parseOptions(process.argv.slice(2))
passOn(options, process.env)
if (options.soak === null)
  process.stdout.write(`Seed ${options.seed}. Repeat this run with \`--seed ${options.seed}\`.\n`)
const file = options.soak === null ? 'chaos.test.ts' : 'soak.test.ts'
const vitest = await startVitest('test', [file], { project: ['chaos'], watch: false })
await vitest.close()
