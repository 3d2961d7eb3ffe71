/** The id under which the result schema is registered. The service looks it up and never registers it. */
import { registryProblem } from './direct.ts'
import type { RegistrySettings } from './direct.ts'
import type { Registry } from './registry.ts'
import { schemaJson, subjectOf } from './schemas.ts'
import { OperatorError } from '../../core/safe-error.ts'

/** Rejects with a message that says what to do. */
export async function resultSchemaId(
  registry: Registry,
  settings: Pick<RegistrySettings, 'url'>,
  resultTopic: string,
): Promise<number> {
  const subject = subjectOf(resultTopic)
  const found = await registry.idBySchema(subject, schemaJson('verification-result'))
  switch (found.kind) {
    case 'found':
      return found.value
    case 'not-found':
      throw new OperatorError(
        `The registry does not hold this version's result schema under ${subject}: register it with \`npm start -- schemas register\`.`,
      )
    default:
      throw new OperatorError(registryProblem(settings, found, 'read'))
  }
}
