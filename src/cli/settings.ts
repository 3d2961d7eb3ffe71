/** What the commands share: the settings from the environment, and how a command ends. */
import { loadConfig, type Config } from '../config.ts'

/** Settings are wrong: known before any connection is made. */
export const EXIT_SETTINGS = 2
export const EXIT_FAILED = 1

/** The settings, or null after every fault was printed and the exit code set. */
export function settingsOrErrors(): Config | null {
  const loaded = loadConfig(process.env)
  if (loaded.kind === 'ok') return loaded.config
  for (const error of loaded.errors) process.stderr.write(`${error}\n`)
  process.exitCode = EXIT_SETTINGS
  return null
}

/** Runs a command with the settings; a failure is one sentence and exit code 1. */
export async function withSettings(command: (config: Config) => Promise<void>): Promise<void> {
  const config = settingsOrErrors()
  if (config === null) return
  try {
    await command(config)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'The command failed.'}\n`)
    process.exitCode = EXIT_FAILED
  }
}
