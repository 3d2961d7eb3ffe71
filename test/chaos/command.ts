/** `npm run test:chaos`: the scenarios as tests, chosen by arguments. Exit code 0 when everything held. */
import { startVitest } from 'vitest/node'
import { parseOptions, passOn } from './options.ts'

const options = parseOptions(process.argv.slice(2))
passOn(options, process.env)
process.stdout.write(`Seed ${options.seed}: \`--seed ${options.seed}\` repeats the choices.\n`)
const vitest = await startVitest('test', [], { config: 'vitest.chaos.config.ts', watch: false })
await vitest.close()
