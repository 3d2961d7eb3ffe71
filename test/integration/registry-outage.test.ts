import avsc from 'avsc'
import { inject, test, type ExpectStatic } from 'vitest'
import { eventFor } from '../../dev/harness/events.ts'
import { metricSum, type ServiceProcess } from '../../dev/harness/service.ts'
import { schemaJson } from '../../src/adapters/registry/schemas.ts'
import { startProxy, type CuttableProxy } from '../support/cuttable-proxy.ts'
import { uniqueName } from '../support/kafka.ts'
import { EXACTLY_ONCE, type Coordinates } from '../support/outputs.ts'
import { startRun, type Run } from '../support/run.ts'

const PARTITIONS = 4
const WAITING = 'checkresult_schema_registry_waiting_records'
const FAILED = 'checkresult_schema_registry_requests_total{operation="schema-by-id",outcome="failed"}'

const registry = new URL(inject('registryUrl'))
let numbers = 0

interface BehindProxy {
  readonly run: Run
  readonly replica: ServiceProcess
  readonly proxy: CuttableProxy
}

/** The registry behind a proxy. */
async function startBehindProxy(onTestFinished: (close: () => Promise<void>) => void): Promise<BehindProxy> {
  const proxy = await startProxy({ port: Number(registry.port) })
  onTestFinished(async () => proxy.close())
  await proxy.heal()
  const url = new URL(registry)
  url.port = String(proxy.port)
  const run = await startRun({ partitions: PARTITIONS, settings: { SCHEMA_REGISTRY_URL: url.href } })
  onTestFinished(run.close)
  return { run, replica: await run.startReplica(), proxy }
}

function sendKnown(run: Run, partitions: readonly number[]): Promise<Coordinates[]> {
  return run.send(partitions.map((partition) => ({ partition, value: run.encode(nextEvent()) })))
}

function nextEvent() {
  return eventFor({ name: 'passpassport', docType: null }, (numbers += 1))
}

/**
 * Registers a schema directly, without the proxy, like another client of the registry. The service does not know its
 * id yet.
 */
async function sendWithNewSchema(run: Run, partition: number): Promise<Coordinates[]> {
  const { fields, ...record } = JSON.parse(schemaJson('verification-completed')) as { fields: unknown[] }
  const added = { name: uniqueName('added').replace('-', '_'), type: 'string', default: '' }
  const schema = JSON.stringify({ ...record, fields: [...fields, added] })
  const answer = await fetch(`${registry.href}/subjects/${uniqueName('producer')}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema }),
  })
  const { id } = (await answer.json()) as { id: number }
  const header = Buffer.alloc(5)
  header.writeInt32BE(id, 1)
  const body = avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema).toBuffer(nextEvent())
  return run.send([{ partition, value: Buffer.concat([header, body]) }])
}

async function failures(replica: ServiceProcess): Promise<number> {
  return metricSum(await replica.metrics(), FAILED)
}

async function untilWaiting(
  { replica, expect }: { replica: ServiceProcess; expect: ExpectStatic },
  records: number,
): Promise<void> {
  await expect
    .poll(async () => metricSum(await replica.metrics(), WAITING), { timeout: 20_000 })
    .toBe(records)
}

test.concurrent(
  'during a registry outage, events with known schemas are processed, others wait, and none is given up',
  async ({ expect, onTestFinished }) => {
    const { run, replica, proxy } = await startBehindProxy(onTestFinished)
    const before = await sendKnown(run, [0, 1, 2, 3])
    await run.untilOut(before)

    await proxy.cut()
    const waiting = await sendWithNewSchema(run, 0)
    const behind = await sendKnown(run, [0])
    await run.untilOut(await sendKnown(run, [1, 2, 3]))
    await untilWaiting({ replica, expect }, 1)
    expect(await (await fetch(replica.opsUrl)).text()).toMatch(/waiting for registry +1/)
    expect((await fetch(`${replica.opsUrl}/readyz`)).status).toBe(200)

    await proxy.silence()
    const soFar = await failures(replica)
    await expect.poll(() => failures(replica), { timeout: 30_000 }).toBeGreaterThan(soFar + 1)
    await run.untilOut(await sendKnown(run, [1, 2, 3]))
    expect([run.results().length, run.deadLetters().length]).toEqual([10, 0])

    await proxy.heal()
    await run.untilOut([...waiting, ...behind])
    await untilWaiting({ replica, expect }, 0)
    const output = replica.output()
    expect(output.match(/Records with an unknown schema id wait/g)).toHaveLength(1)
    expect(output).toContain('The schema registry answers again.')
    expect(await replica.stop()).toBe(0)
    expect([run.results().length, run.deadLetters().length]).toEqual([12, 0])
  },
)

test.concurrent(
  'a replica whose records wait for the registry stops in an orderly way, and the next one settles them',
  async ({ expect, onTestFinished }) => {
    const { run, replica, proxy } = await startBehindProxy(onTestFinished)
    const before = await sendKnown(run, [0, 1, 2, 3])
    await run.untilOut(before)
    await proxy.cut()
    const waiting = await sendWithNewSchema(run, 2)
    await untilWaiting({ replica, expect }, 1)
    expect(await replica.stop()).toBe(0)

    await proxy.heal()
    await run.startReplica()
    await run.untilOut(waiting)
    expect(await run.tally([...before, ...waiting])).toEqual(EXACTLY_ONCE)
  },
)
