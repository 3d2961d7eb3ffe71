/** `npm run test:quota`: the cases as tests, chosen by arguments. Exit code 0 when everything held. */
import { startVitest } from 'vitest/node'
import { parseOptions, passOn } from './options.ts'

const options = parseOptions(process.argv.slice(2))
passOn(options, process.env)
process.stdout.write(`Seed ${options.seed}: \`--seed ${options.seed}\` repeats the choices.\n`)
const vitest = await startVitest('test', ['quota.test.ts'], {
  config: 'vitest.quota.config.ts',
  watch: false,
})
await vitest.close()
