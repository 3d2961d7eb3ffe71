/** `config check`: the effective settings, or every fault at once. Connects to nothing. */
import type { Command } from 'commander'
import { loadConfig, type Loaded } from '../config.ts'
import { credentialsOrigin } from '../config/credentials.ts'
import { EXIT_SETTINGS } from './settings.ts'

export function addConfigCommand(
  program: Command,
  env: Readonly<Record<string, string | undefined>> = process.env,
): void {
  const config = program.command('config').description('check the settings')
  const check = config
    .command('check')
    .description('print the effective settings with secrets masked, or every error; connects to nothing')
    // Settings are at fault here, not options.
    .showHelpAfterError(false)
    .action(() => {
      const loaded = loadConfig(env)
      if (loaded.kind === 'ok') check.configureOutput().writeOut?.(settingsText(loaded))
      else check.error(loaded.errors.join('\n'), { exitCode: EXIT_SETTINGS })
    })
}

function settingsText({ config, settings }: Extract<Loaded, { kind: 'ok' }>): string {
  const nameWidth = Math.max(...settings.map(({ name }) => name.length))
  const valueWidth = Math.max(...settings.map(({ value }) => value.length))
  const rows = settings.map(
    ({ name, value, from }) => `${name.padEnd(nameWidth)}  ${value.padEnd(valueWidth)}  ${from}`,
  )
  return [...rows, '', `Credentials: ${credentialsOrigin(config.credentials)}.`, ''].join('\n')
}
