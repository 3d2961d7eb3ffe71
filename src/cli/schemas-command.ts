/** `schemas register`: registers the Avro schemas, or says why the registry's compatibility rule rejects one. */
import type { Command } from 'commander'
import { EXIT_FAILED } from '../config/exit-codes.ts'
import { settingsHelp, withSettings } from './settings.ts'

export function addSchemasCommand(program: Command): void {
  const schemas = program.command('schemas').description('register the Avro schemas')
  schemas
    .command('register')
    .description(
      'register the event and result schemas with compatibility level FULL_TRANSITIVE; an incompatible change is rejected',
    )
    .addHelpText(
      'after',
      settingsHelp('needs SCHEMA_REGISTRY_URL; uses those of the registry and the topic names'),
    )
    .action(() => register())
}

async function register(): Promise<void> {
  await withSettings(['registry', 'topics'], async (config) => {
    const [{ COMPATIBILITY, registerSchemas }, { registrySettings }, { createLog }, { VERSION }] =
      await Promise.all([
        import('../adapters/registry/register.ts'),
        import('../app/settings.ts'),
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
          `level       ${subject}: compatibility level changed from ${formerLevel} to ${COMPATIBILITY}, because ${formerLevel} accepts schemas that existing readers cannot read\n`,
        )
      }
      if (registration.kind !== 'incompatible') {
        process.stdout.write(`${registration.kind.padEnd(10)}  ${subject}  id ${registration.id}\n`)
        continue
      }
      process.exitCode = EXIT_FAILED
      process.stderr.write(
        `rejected    ${subject}: the schema of this version is not ${COMPATIBILITY} compatible with the registered versions\n` +
          registration.reasons.map((reason) => `            ${reason}\n`).join(''),
      )
    }
  })
}
