import kafkajs from 'kafkajs'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { ConnectionFailures, connectionFailures } from '../../../../src/adapters/kafka/connection-failures.ts'
import { explain } from '../../../../src/adapters/kafka/errors.ts'

const ONE = 'kafka-1.example:9092'
const TWO = 'kafka-2.example:9092'

function failure(message: string, code?: string): Error {
  return new kafkajs.KafkaJSConnectionError(message, {
    broker: 'hidden',
    ...(code === undefined ? {} : { code }),
  })
}

describe('connection failures', () => {
  let failures: ConnectionFailures

  beforeEach(() => {
    failures = new ConnectionFailures()
  })

  test('are listed by address, with their cause', () => {
    failures.failed(TWO, failure('Connection timeout'))
    failures.failed(ONE, failure('Connection error: hidden', 'ECONNREFUSED'))
    failures.failed('kafka-3.example:9092', failure('Closed connection'))
    expect(failures.recent()).toBe(
      `${ONE}: ECONNREFUSED, ${TWO}: timeout, kafka-3.example:9092: connection closed`,
    )
  })

  test('are removed when the address answers again', () => {
    failures.failed(ONE, failure('Connection error', 'ECONNREFUSED'))
    failures.failed(TWO, failure('Connection error', 'ETIMEDOUT'))
    failures.succeeded(TWO)
    expect(failures.recent()).toBe(`${ONE}: ECONNREFUSED`)
  })

  test('are listed for a minute', () => {
    failures.failed(ONE, failure('Connection error', 'ECONNREFUSED'), 1_000)
    expect(failures.recent(61_000)).toBe(`${ONE}: ECONNREFUSED`)
    expect(failures.recent(61_001)).toBe('')
  })
})

test('the message about unreachable brokers lists every address with its cause', () => {
  onTestFinished(() => [ONE, TWO].forEach((address) => connectionFailures.succeeded(address)))
  connectionFailures.failed(ONE, failure('Connection error: hidden', 'ECONNREFUSED'))
  connectionFailures.failed(TWO, failure('Connection timeout'))
  expect(explain(failure('Connection timeout'))).toMatch(
    /^No broker in KAFKA_BROKERS answers, or the broker that leads a needed partition does not \(.*kafka-1\.example:9092: ECONNREFUSED, kafka-2\.example:9092: timeout\)\. Check the addresses, the network, and whether KAFKA_TLS matches the brokers' listener\.$/,
  )
})
