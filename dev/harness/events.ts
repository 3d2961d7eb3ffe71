/** Creates events for the simulator's scenarios, in either encoding. */
import avsc from 'avsc'
import { schemaJson, subjectOf } from '../../src/adapters/registry/schemas.ts'
import type { VerificationCompleted } from '../../src/core/records/schema-types.ts'
import type { Scenario } from '../../simulator/scenarios.ts'

const type = avsc.Type.forSchema(JSON.parse(schemaJson('verification-completed')) as avsc.Schema)

/** Letters and digits only, at most 32 characters, like the vendor's. The number makes it unique. */
export function eventFor(
  scenario: Pick<Scenario, 'name' | 'docType'>,
  number: number,
): VerificationCompleted {
  return {
    transactionId: `${scenario.name}x${number.toString(36)}`,
    merchantBizId: `biz${number.toString(36).padStart(12, '0')}`,
    productCode: 'ID_OCR',
    docType: scenario.docType,
    completedAt: Date.now(),
    passed: null,
    subCode: null,
  }
}

export type EncodeEvent = (event: VerificationCompleted) => Buffer

export async function avroEncoder(registryUrl: string, inputTopic: string): Promise<EncodeEvent> {
  const id = await schemaIdOf(registryUrl, subjectOf(inputTopic))
  return (event) => {
    const header = Buffer.alloc(5)
    header.writeInt32BE(id, 1)
    return Buffer.concat([header, type.toBuffer(event)])
  }
}

export const encodeJson: EncodeEvent = (event) => Buffer.from(JSON.stringify(event))

async function schemaIdOf(registryUrl: string, subject: string): Promise<number> {
  const response = await fetch(`${registryUrl}/subjects/${encodeURIComponent(subject)}/versions/latest`)
  const { id } = (await response.json()) as { id: number }
  return id
}
