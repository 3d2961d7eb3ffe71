/** The id under which the result schema is registered. The service looks it up and never registers it. */
import type { Registry } from './registry.ts'
import { schemaJson, subjectOf } from './schemas.ts'
import { OperatorError } from '../../core/safe-error.ts'

/** Rejects with a sentence that says what to do. */
export async function resultSchemaId(registry: Registry, resultTopic: string): Promise<number> {
  const subject = subjectOf(resultTopic)
  const found = await registry.idBySchema(subject, schemaJson('verification-result'))
  switch (found.kind) {
    case 'found':
      return found.value
    case 'not-found':
      throw new OperatorError(
        `The registry does not hold this version's result schema under ${subject}: register it with \`npm start -- schemas register\`.`,
      )
    case 'refused':
      throw new OperatorError(
        'The registry refuses us: check SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD, and the right to read.',
      )
    case 'failed':
      throw new OperatorError(
        'The schema registry does not answer: check SCHEMA_REGISTRY_URL and that it can be reached.',
      )
  }
}
