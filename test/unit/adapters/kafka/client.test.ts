import { expect, test } from 'vitest'
import { createKafkaClient } from '../../../../src/adapters/kafka/client.ts'
import { recordingLog } from '../../../support/recording-log.ts'

const ADDRESS = 'kafka-1.example:9092'

function reported(
  ...entries: readonly { readonly namespace: string; readonly extra: object; readonly message: string }[]
) {
  const log = recordingLog()
  const { kafka } = createKafkaClient({ brokers: [ADDRESS], clientId: 'test', tls: null, sasl: null }, log)
  for (const { namespace, message, extra } of entries) {
    kafka.logger().namespace(namespace).error(message, extra)
  }
  return log.lines.map(({ level, message, fields }) => ({ level, message, fields }))
}

test('a failed connection is logged once, with its address and cause', () => {
  const failed = {
    namespace: 'Connection',
    message: `Connection error: connect ECONNREFUSED ${ADDRESS}`,
    extra: { broker: ADDRESS },
  }
  const pool = {
    namespace: 'BrokerPool',
    message: `Failed to connect to seed broker: ${failed.message}`,
    extra: {},
  }
  expect(reported(failed, pool, failed, pool)).toEqual([
    {
      level: 'warn',
      message: `A request or connection to the Kafka broker ${ADDRESS} failed (ECONNREFUSED). The service retries. Repetitions are not logged for a minute.`,
      fields: { reason: 'Connection', code: 'ECONNREFUSED', address: ADDRESS },
    },
  ])
})

test('a connection timeout is named as such', () => {
  const [line] = reported({
    namespace: 'Connection',
    message: 'Connection timeout',
    extra: { broker: ADDRESS },
  })
  expect(line).toMatchObject({
    fields: { code: 'timeout' },
    message: expect.stringContaining('failed (timeout).'),
  })
})

test('a rejected request is logged with the error of the protocol', () => {
  const error = 'Not authorized to access topics: [Topic authorization failed]'
  const [line] = reported({
    namespace: 'Connection',
    message: 'Response Metadata(…)',
    extra: { error, broker: ADDRESS },
  })
  expect(line).toMatchObject({
    fields: { detail: error },
    message: expect.stringContaining(`failed (${error}).`),
  })
})

test('errors of normal operation are not logged, and no other text of the library is', () => {
  const lines = reported(
    {
      namespace: 'Connection',
      message: 'Response',
      extra: { error: 'The group is rebalancing, so a rejoin is needed' },
    },
    { namespace: 'Connection', message: 'Response DescribeConfigs(…)', extra: { error: 'anything' } },
    { namespace: 'Producer', message: 'TESTPERSON', extra: { error: 'TESTPERSON' } },
    { namespace: 'Cluster', message: 'TESTPERSON', extra: {} },
  )
  expect(lines.map(({ fields }) => fields)).toEqual([{ reason: 'Producer' }, { reason: 'Cluster' }])
  expect(JSON.stringify(lines)).not.toContain('TESTPERSON')
})
