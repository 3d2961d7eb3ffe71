/** `simulate`: runs the simulator of the checkout. It is not part of the service, so the service's image does not contain it. */
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { EXIT_FAILED } from '../config/exit-codes.ts'

const SIMULATOR = new URL('../../simulator/command.ts', import.meta.url)

export function addSimulateCommand(program: Command): void {
  program
    .command('simulate')
    .description(
      'serve a simulated CheckResult API on 127.0.0.1; needs a checkout, but no account and no settings',
    )
    .usage('[options]')
    .argument('[words...]')
    .helpOption(false)
    .allowUnknownOption()
    .addHelpText('after', '\n`simulate --help` prints the options and scenarios.')
    .action((words: readonly string[]) => simulate(program, words))
}

async function simulate(program: Command, words: readonly string[]): Promise<void> {
  if (!existsSync(SIMULATOR)) {
    process.stderr.write(
      'The simulator is not part of this image. Run `npm start -- simulate` in a checkout, or `docker compose up -d` for everything.\n',
    )
    process.exitCode = EXIT_FAILED
    return
  }
  const { createSimulateCommand } = await import('../../simulator/command.ts')
  await createSimulateCommand().copyInheritedSettings(program).parseAsync(words, { from: 'user' })
}
