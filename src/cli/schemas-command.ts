/** `schemas register`: registers our schemas, or says why a change is refused. */
import type { Command } from 'commander'
import { EXIT_FAILED, withSettings } from './settings.ts'

export function addSchemasCommand(program: Command): void {
  const schemas = program.command('schemas').description('the Avro schemas in the registry')
  schemas
    .command('register')
    .description('register the event and result schemas, BACKWARD compatible; refuses an incompatible change')
    .action(() => register())
}

async function register(): Promise<void> {
  await withSettings(async (config) => {
    const [{ registerSchemas }, { registrySettings }, { createLog }, { VERSION }] = await Promise.all([
      import('../adapters/registry/register.ts'),
      import('../service.ts'),
      import('../adapters/pino/log.ts'),
      import('../version.ts'),
    ])
    const log = createLog({ level: 'silent', name: 'checkresult-stream', version: VERSION })
    const { input, result } = config.topics
    const registrations = await registerSchemas(registrySettings(config, log), {
      'verification-completed': input,
      'verification-result': result,
    })
    for (const registration of registrations) {
      if (registration.kind === 'registered') {
        process.stdout.write(`registered  ${registration.subject}  id ${registration.id}\n`)
        continue
      }
      process.exitCode = EXIT_FAILED
      process.stderr.write(
        `refused     ${registration.subject}: readers of the new version could not read the old one.\n` +
          registration.reasons.map((reason) => `            ${reason}\n`).join(''),
      )
    }
  })
}
