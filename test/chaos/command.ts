/** `npm run test:chaos` and `test:soak`: the scenarios as tests, chosen by arguments. Exit code 0 when everything held. */
import { startVitest } from 'vitest/node'
import { parseOptions, passOn } from './options.ts'

const options = parseOptions(process.argv.slice(2))
passOn(options, process.env)
if (options.soak === null)
  process.stdout.write(`Seed ${options.seed}: \`--seed ${options.seed}\` repeats the choices.\n`)
const file = options.soak === null ? 'chaos.test.ts' : 'soak.test.ts'
const vitest = await startVitest('test', [file], { config: 'vitest.chaos.config.ts', watch: false })
await vitest.close()
