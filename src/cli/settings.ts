/** The parts that commands share: the settings from the environment, and how a command ends. */
import { loadParts, type Config } from '../config.ts'
import { EXIT_FAILED, EXIT_SETTINGS } from '../config/exit-codes.ts'
import type { Part } from '../config/parts.ts'
import { OperatorError } from '../core/safe-error.ts'

/** Each setting is valid, but the command cannot work with them. */
export class SettingsError extends OperatorError {}

/** The parts that the command uses, or null after every error was printed and the exit code was set. */
function settingsOrErrors<P extends Part>(parts: readonly P[]): Pick<Config, P> | null {
  const loaded = loadParts(parts, process.env)
  for (const warning of loaded.warnings) process.stderr.write(`Warning: ${warning}\n`)
  if (loaded.kind === 'ok') return loaded.config
  for (const error of loaded.errors) process.stderr.write(`${error}\n`)
  process.exitCode = EXIT_SETTINGS
  return null
}

/** Runs a command with the parts of the configuration that it uses; a failure is one message and exit code 1. */
export async function withSettings<P extends Part>(
  parts: readonly P[],
  command: (config: Pick<Config, P>) => Promise<void>,
): Promise<void> {
  const config = settingsOrErrors(parts)
  if (config === null) return
  try {
    await command(config)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'The command failed.'}\n`)
    process.exitCode = error instanceof SettingsError ? EXIT_SETTINGS : EXIT_FAILED
  }
}

/** A line for the help of a command. */
export function settingsHelp(needed: string): string {
  return `\nSettings: ${needed}. See docs/settings.md.`
}

/** Whether commands that can do without the registry use it. */
export function isRegistrySet(): boolean {
  const { SCHEMA_REGISTRY_URL: url = '' } = process.env
  return url.trim() !== ''
}
