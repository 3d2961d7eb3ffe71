/** `npm run test:quota`: runs the cases that the arguments select, as tests. Exit code 0 if all passed. */
import { startVitest } from 'vitest/node'
import { parseOptions, passOn } from './options.ts'

const options = parseOptions(process.argv.slice(2))
passOn(options, process.env)
process.stdout.write(`Seed ${options.seed}. Repeat this run with \`--seed ${options.seed}\`.\n`)
const vitest = await startVitest('test', ['quota.test.ts'], { project: ['quota'], watch: false })
await vitest.close()
