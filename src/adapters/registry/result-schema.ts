/** Looks up the id of the registered result schema. The service never registers it. */
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
        `The schema registry does not have the result schema of this version under the subject ${subject}. Register it with \`npm start -- schemas register\`.`,
      )
    default:
      throw new OperatorError(registryProblem(settings, found, 'read'))
  }
}
