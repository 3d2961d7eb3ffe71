import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { encodeJson, eventFor } from '../../dev/harness/events.ts'
import { metricSum } from '../../dev/harness/service.ts'
import { buildImage, IMAGE, SIMULATOR_IMAGE } from '../../dev/image/build.ts'
import { startComposition, type Composition } from '../../dev/image/composition.ts'
import { provideServers } from '../../dev/image/servers.ts'
import { readCompose } from '../support/compose.ts'
import { connectedProducer, connectTo, readCommitted } from '../support/kafka.ts'
import { findEngine } from './engine.ts'

const EVENTS = 40
const { available, engine } = await findEngine()

/** Services whose images can be built here. The other images come only from image registries. */
const STARTED = new Set([
  'kafka',
  'registry',
  'topics',
  'schemas',
  'simulator',
  'checkresult-1',
  'checkresult-2',
])

describe.runIf(available)('the services of docker-compose.yml', () => {
  let composition: Composition | undefined

  beforeAll(async () => {
    await buildImage(engine)
    await buildImage(engine, { target: 'simulator', tag: SIMULATOR_IMAGE })
    const servers = await provideServers(engine, (line) => process.stderr.write(`${line}\n`))
    const { services } = readCompose()
    const names = Object.keys(services).filter((name) => STARTED.has(name))
    composition = await startComposition(engine, {
      services: names.map((name) => ({ name, watched: services[name]?.healthcheck?.disable !== true })),
      images: {
        ...Object.fromEntries(names.map((name) => [name, IMAGE])),
        simulator: SIMULATOR_IMAGE,
        ...servers,
      },
      ports: ['KAFKA_PORT', 'REGISTRY_PORT', 'OPS_PORT_1', 'OPS_PORT_2'],
    })
  })

  afterAll(async () => composition?.down())

  function started(): Composition {
    if (composition === undefined) throw new Error('The composition was not started.')
    return composition
  }

  const port = (name: string): number => started().ports.get(name) ?? 0

  test('both replicas settle events that are sent to the published broker port', async () => {
    const kafka = connectTo([`localhost:${port('KAFKA_PORT')}`])
    const producer = await connectedProducer(kafka)
    await producer.send({
      topic: 'verification.completed',
      messages: Array.from({ length: EVENTS }, (_, number) => ({
        partition: number % 8,
        value: encodeJson(eventFor({ name: 'passpassport', docType: null }, number)),
      })),
    })
    const results = await readCommitted(['verification.result'], { until: EVENTS, kafka, timeoutMs: 60_000 })
    expect(results).toHaveLength(EVENTS)
    const counts = await Promise.all(
      ['OPS_PORT_1', 'OPS_PORT_2'].map(async (name) => {
        const answer = await fetch(`http://127.0.0.1:${port(name)}/metrics`)
        return metricSum(await answer.text(), 'checkresult_results_total')
      }),
    )
    expect(counts.every((count) => count > 0)).toBe(true)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(EVENTS)
  })

  test('the registry port is published, and its schemas are stored in Kafka', async () => {
    const answer = await fetch(`http://127.0.0.1:${port('REGISTRY_PORT')}/apis/ccompat/v7/subjects`)
    expect(new Set((await answer.json()) as string[])).toEqual(
      new Set(['verification.completed-value', 'verification.result-value']),
    )
    const kafka = connectTo([`localhost:${port('KAFKA_PORT')}`])
    const admin = kafka.admin()
    onTestFinished(async () => admin.disconnect())
    await admin.connect()
    expect(await admin.listTopics()).toContain('kafkasql-journal')
  })

  test('a stopped replica exits with 0 and the other one continues', async () => {
    expect(await started().stop('checkresult-2')).toBe(0)
    await expect.poll(async () => started().isHealthy('checkresult-1')).toBe(true)
  })
})
