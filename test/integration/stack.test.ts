import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { startStack, type Stack } from '../../dev/stack/stack.ts'
import { createKafkaClient } from '../../src/adapters/kafka/client.ts'
import { Secret } from '../../src/config/secret.ts'
import {
  connectTo,
  connectedAdmin,
  createTopics,
  produce,
  readCommitted,
  uniqueName,
} from '../support/kafka.ts'
import { fakeLog } from '../support/fakes.ts'
import { LOGIN_LISTENER, loginSettings, WITH_LOGIN_LISTENER } from '../support/login-listener.ts'
import { isAlive } from '../support/processes.ts'

describe('the shared stack', () => {
  test('creates topics with 8 partitions by default', async () => {
    const topic = uniqueName('topic')
    await createTopics([{ topic }])
    const admin = await connectedAdmin()
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    expect(topics[0]?.partitions).toHaveLength(8)
  })

  test('returns committed records as they were written', async () => {
    const topic = uniqueName('topic')
    await createTopics([{ topic, numPartitions: 1 }])
    await produce(topic, [{ key: 'a', value: 'one', headers: { h: 'x' } }, { value: null }])
    const records = await readCommitted([topic], { until: 2 })
    expect(records.map(({ offset, key, value }) => [offset, key?.toString(), value?.toString()])).toEqual([
      [0n, 'a', 'one'],
      [1n, undefined, undefined],
    ])
    expect(records[0]?.headers).toEqual({ h: Buffer.from('x') })
  })

  test('does not create topics automatically', async () => {
    const topic = uniqueName('unknown')
    // Long enough for a broker that would create the topic.
    const retry = { initialRetryTime: 50, multiplier: 1.5, retries: 6 }
    const producer = connectTo().producer({ retry, allowAutoTopicCreation: true })
    onTestFinished(async () => producer.disconnect())
    await producer.connect()
    const sent = producer.send({ topic, messages: [{ value: 'x' }] })
    await expect(sent).rejects.toThrow(/does not host this topic-partition/)
    const admin = await connectedAdmin()
    expect(await admin.listTopics()).not.toContain(topic)
  })

  test('registers a schema and returns it', async () => {
    const schema = JSON.stringify({
      type: 'record',
      name: 'Sample',
      fields: [{ name: 'id', type: 'string' }],
    })
    const id = await registerSchema(inject('registryUrl'), uniqueName('subject'), schema)
    const answer = await fetch(`${inject('registryUrl')}/schemas/ids/${id}`)
    expect(JSON.parse(((await answer.json()) as { schema: string }).schema)).toEqual(JSON.parse(schema))
  })
})

describe('a second stack', () => {
  let second: Stack
  const crash = Promise.withResolvers<string>()

  beforeAll(async () => {
    second = await startStack({
      ...WITH_LOGIN_LISTENER,
      kafkaProperties: {
        ...WITH_LOGIN_LISTENER.kafkaProperties,
        // Without this, the cluster accepts a killed broker only after its session of 9 s.
        'broker.session.timeout.ms': '3000',
        'broker.heartbeat.interval.ms': '500',
      },
      onCrash: (message) => crash.resolve(message),
    })
  })

  afterAll(async () => second.stop())

  test('runs beside the first one on other ports', async () => {
    expect(second.brokers).not.toEqual(inject('brokers'))
    expect(second.registryUrl).not.toBe(inject('registryUrl'))
    const topic = uniqueName('topic')
    await createTopics([{ topic }], connectTo(second.brokers))
    const admin = await connectedAdmin()
    expect(await admin.listTopics()).not.toContain(topic)
  })

  test('can require a password from clients', async () => {
    const broker = second.listeners.get(LOGIN_LISTENER) ?? ''
    const listTopicsWith = async (password?: string): Promise<string[]> => {
      const { KAFKA_SASL_USERNAME: username = '', KAFKA_SASL_PASSWORD: right = '' } = loginSettings(broker)
      const sasl = { mechanism: 'plain', username, password: new Secret(password ?? right) } as const
      const { kafka } = createKafkaClient({ brokers: [broker], clientId: 'test', tls: null, sasl }, fakeLog())
      const admin = await connectedAdmin(kafka)
      return admin.listTopics()
    }
    await expect(listTopicsWith('wrong')).rejects.toThrow(/Authentication failed/)
    expect(await listTopicsWith()).toContain('__consumer_offsets')
  })

  test('keeps the port and data of a broker that is stopped or killed and restarted', async () => {
    const kafka = connectTo(second.brokers)
    const topic = uniqueName('topic')
    await createTopics([{ topic, numPartitions: 1 }], kafka)
    await produce(topic, [{ value: 'before' }], kafka)
    await second.kafka.stop()
    expect(second.kafka.pid).toBeUndefined()
    await second.kafka.start()
    await produce(topic, [{ value: 'between' }], kafka)
    await second.kafka.stop('SIGKILL')
    await second.kafka.start()
    const records = await readCommitted([topic], { until: 2, kafka })
    expect(records.map(({ value }) => value?.toString())).toEqual(['before', 'between'])
  })

  test('keeps the address of a registry that is restarted, but not its schemas', async () => {
    await registerSchema(second.registryUrl, 'subject', '"string"')
    await second.registry.stop()
    await expect(fetch(second.registryUrl)).rejects.toThrow('fetch failed')
    await second.registry.start()
    const answer = await fetch(`${second.registryUrl}/subjects`)
    expect(await answer.json()).toEqual([])
  })

  test('reports a server that ends by itself, and leaves nothing behind when stopped', async () => {
    const { kafka, registry, dataDir, stop } = second
    const pids = [kafka.pid, registry.pid]
    expect(pids.filter(isAlive)).toEqual(pids)
    process.kill(registry.pid ?? 0, 'SIGKILL')
    expect(await crash.promise).toContain('The schema registry ended by itself.')
    await stop()
    expect(pids.filter(isAlive)).toEqual([])
    expect(existsSync(dataDir)).toBe(false)
  })
})

describe('a stack', () => {
  test('fails to start with the end of the log if the broker rejects its settings', async () => {
    await expect(startStack({ kafkaProperties: { 'num.io.threads': 'many' } })).rejects.toThrow(
      /Kafka.*\n[^]*num\.io\.threads/,
    )
  })

  test('reports a broker that ends during its start only as the error of the start', async () => {
    const crashes: string[] = []
    const onCrash = (message: string): void => void crashes.push(message)
    await expect(startStack({ kafkaJavaOptions: ['-XX:NoSuchOption'], onCrash })).rejects.toThrow(
      /^Kafka ended while it was starting\. [^]*NoSuchOption/,
    )
    expect(crashes).toEqual([])
  })

  test('fails to start with the answer of Maven if its version of Kafka does not exist', async () => {
    await expect(startStack({ kafkaVersion: '0.0.1' })).rejects.toThrow(
      /^Maven could not download Kafka 0\.0\.1\. Check the version .*\n[^]*kafka_2\.12:jar:0\.0\.1/,
    )
  })

  test('ends with the process that started it, even after SIGKILL, and its data is deleted', async () => {
    const script = fileURLToPath(new URL('../support/start-stack.ts', import.meta.url))
    const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void parent.kill('SIGKILL'))
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string]
    const { pids, dataDir } = JSON.parse(line) as { pids: number[]; dataDir: string }
    expect(pids.filter(isAlive)).toEqual(pids)
    parent.kill('SIGKILL')
    await expect
      .poll(() => [pids.filter(isAlive), existsSync(dataDir)], { timeout: 10_000 })
      .toEqual([[], false])
  })
})

async function registerSchema(registryUrl: string, subject: string, schema: string): Promise<number> {
  const answer = await fetch(`${registryUrl}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema }),
  })
  expect(answer.status).toBe(200)
  return ((await answer.json()) as { id: number }).id
}
