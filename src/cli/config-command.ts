/** `config check`: prints the effective settings, or all that are invalid. Connects to nothing. */
import type { Command } from 'commander'
import { loadConfig, type Loaded } from '../config.ts'
import { credentialsOrigin } from '../config/credentials.ts'
import { EXIT_SETTINGS } from '../config/exit-codes.ts'
import { settingsHelp } from './settings.ts'
import { terminalJson } from './terminal-json.ts'

interface Options {
  readonly json?: true
}

export function addConfigCommand(
  program: Command,
  env: Readonly<Record<string, string | undefined>> = process.env,
  setExitCode = (code: number): void => void (process.exitCode = code),
): void {
  const config = program.command('config').description('check the settings')
  const check = config
    .command('check')
    .description(
      'print the settings of the service with secrets masked, or all errors in them; connects to nothing',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', settingsHelp('checks all that `run` uses'))
    .action(({ json }: Options) => {
      const loaded = loadConfig(env)
      const { out, err } = json === true ? { out: jsonText(loaded), err: '' } : textOf(loaded)
      const streams = check.configureOutput()
      if (err !== '') streams.writeErr?.(err)
      if (out !== '') streams.writeOut?.(out)
      if (loaded.kind === 'errors') setExitCode(EXIT_SETTINGS)
    })
}

function jsonText(loaded: Loaded): string {
  const { warnings } = loaded
  const report =
    loaded.kind === 'ok'
      ? {
          valid: true,
          settings: loaded.settings,
          credentials: credentialsOrigin(loaded.config.credentials),
          errors: [],
          warnings,
        }
      : { valid: false, settings: [], credentials: null, errors: loaded.errors, warnings }
  return `${terminalJson(report)}\n`
}

function textOf(loaded: Loaded): { readonly out: string; readonly err: string } {
  const warnings = loaded.warnings.map((warning) => `Warning: ${warning}`)
  const errors = loaded.kind === 'ok' ? [] : loaded.errors
  return {
    out: loaded.kind === 'ok' ? settingsText(loaded) : '',
    err: [...warnings, ...errors].map((line) => `${line}\n`).join(''),
  }
}

function settingsText({ config, settings }: Extract<Loaded, { kind: 'ok' }>): string {
  const nameWidth = Math.max(...settings.map(({ name }) => name.length))
  const valueWidth = Math.max(...settings.map(({ value }) => value.length))
  const rows = settings.map(
    ({ name, value, from }) => `${name.padEnd(nameWidth)}  ${value.padEnd(valueWidth)}  ${from}`,
  )
  return [...rows, '', `Credentials: ${credentialsOrigin(config.credentials)}.`, ''].join('\n')
}
