/**
 * Sends events of a producer that is newer than the service: their schema is registered, but the service has not read
 * it yet.
 */
import avsc from 'avsc'
import { eventFor } from '../../dev/harness/events.ts'
import { schemaJson } from '../../src/adapters/registry/schemas.ts'
import { uniqueName } from '../support/kafka.ts'
import { PARTITIONS, type Rig } from './rig.ts'

/**
 * Registers a schema and sends one backdated event with it to each partition. Resolves when Kafka has acknowledged
 * them.
 */
export async function sendUnknownSchema({ stack, kafka, environment }: Rig, ageMs: number): Promise<void> {
  const { type, id } = await registerAnotherSchema(stack.registryUrl)
  const header = Buffer.alloc(5)
  header.writeInt32BE(id, 1)
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({
    topic: environment.topics.input,
    messages: Array.from({ length: PARTITIONS }, (_, partition) => ({
      partition,
      timestamp: String(Date.now() - ageMs),
      value: Buffer.concat([
        header,
        type.toBuffer(eventFor({ name: 'passpassport', docType: null }, Date.now() + partition)),
      ]),
    })),
  })
  await producer.disconnect()
}

async function registerAnotherSchema(registryUrl: string): Promise<{ type: avsc.Type; id: number }> {
  const { fields, ...record } = JSON.parse(schemaJson('verification-completed')) as { fields: unknown[] }
  const added = { name: uniqueName('added').replaceAll('-', '_'), type: 'string', default: '' }
  const schema = JSON.stringify({ ...record, fields: [...fields, added] })
  const answer = await fetch(`${registryUrl}/subjects/${uniqueName('producer')}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema }),
  })
  const { id } = (await answer.json()) as { id: number }
  return { type: avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema), id }
}
