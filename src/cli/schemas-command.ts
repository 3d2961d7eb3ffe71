/** `schemas register`: registers our schemas, or says why a change is refused. */
import type { Command } from 'commander'
import { EXIT_FAILED, withSettings } from './settings.ts'

export function addSchemasCommand(program: Command): void {
  const schemas = program.command('schemas').description('the Avro schemas in the registry')
  schemas
    .command('register')
    .description(
      'register the event and result schemas with compatibility level FULL_TRANSITIVE; refuses an incompatible change',
    )
    .action(() => register())
}

async function register(): Promise<void> {
  await withSettings(async (config) => {
    const [{ COMPATIBILITY, registerSchemas }, { registrySettings }, { createLog }, { VERSION }] =
      await Promise.all([
        import('../adapters/registry/register.ts'),
        import('../service-settings.ts'),
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
      const { subject, formerLevel } = registration
      if (formerLevel !== null) {
        process.stderr.write(
          `level       ${subject}: compatibility was ${formerLevel}, which lets in schemas that readers cannot read; it is ${COMPATIBILITY} now\n`,
        )
      }
      if (registration.kind === 'registered') {
        process.stdout.write(`registered  ${subject}  id ${registration.id}\n`)
        continue
      }
      process.exitCode = EXIT_FAILED
      process.stderr.write(
        `refused     ${subject}: the schema of this version is not compatible (${COMPATIBILITY}) with what is registered\n` +
          registration.reasons.map((reason) => `            ${reason}\n`).join(''),
      )
    }
  })
}
