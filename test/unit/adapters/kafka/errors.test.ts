import kafkajs from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { errorType, explain, isPassing, isRefusal } from '../../../../src/adapters/kafka/errors.ts'
import { OperatorError } from '../../../../src/core/safe-error.ts'

const HOST = 'broker-7.internal.example'

function protocolError(type: string): Error {
  const made = new Error(`refused by ${HOST}`)
  return new kafkajs.KafkaJSProtocolError(Object.assign(made, { type, code: 29, retriable: false }))
}

/** Wrapped the way kafkajs wraps an error after its last retry. */
function retried(cause: Error): Error {
  return new kafkajs.KafkaJSNumberOfRetriesExceeded(cause, { retryCount: 5, retryTime: 100 })
}

function connectionError(code: string): Error {
  return Object.assign(new kafkajs.KafkaJSConnectionError(`Connection error: ${HOST}`), { code })
}

describe('the type of a Kafka error', () => {
  test('is the name of the protocol error', () => {
    expect(errorType(protocolError('TOPIC_AUTHORIZATION_FAILED'))).toBe('TOPIC_AUTHORIZATION_FAILED')
  })

  test('is found at any depth of kafkajs wrappers', () => {
    const deep = retried(retried(protocolError('GROUP_AUTHORIZATION_FAILED')))
    expect(errorType(deep)).toBe('GROUP_AUTHORIZATION_FAILED')
  })

  test('is the code of a system error', () => {
    expect(errorType(connectionError('ECONNREFUSED'))).toBe('ECONNREFUSED')
    expect(errorType(retried(connectionError('ENOTFOUND')))).toBe('ENOTFOUND')
  })

  test('is the name of the innermost error if there is nothing better', () => {
    expect(errorType(new TypeError('a defect'))).toBe('TypeError')
    expect(errorType(retried(new kafkajs.KafkaJSRequestTimeoutError(HOST, {} as never)))).toBe(
      'KafkaJSRequestTimeoutError',
    )
  })

  test.each([undefined, null, 'text', 7, {}])('is unknown for %j', (thrown) => {
    expect(errorType(thrown)).toBe('unknown')
  })

  test('is found in circular causes', () => {
    const error = new Error('round')
    error.cause = error
    expect(errorType(error)).toBe('Error')
  })
})

describe('the explanation of a Kafka error', () => {
  test.each([
    ['ECONNREFUSED', 'KAFKA_BROKERS'],
    ['ENOTFOUND', 'KAFKA_BROKERS'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'KAFKA_TLS_CA_FILE'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'KAFKA_TLS_CA_FILE'],
    ['EPROTO', 'KAFKA_TLS'],
  ])('the explanation of %s contains advice: %s', (code, advice) => {
    expect(explain(retried(connectionError(code)))).toContain(advice)
  })

  test.each([
    ['SASL_AUTHENTICATION_FAILED', 'KAFKA_SASL_PASSWORD'],
    ['GROUP_AUTHORIZATION_FAILED', 'KAFKA_GROUP_ID'],
    ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'grant WRITE on transactional ids'],
    ['TOPIC_AUTHORIZATION_FAILED', 'grant READ'],
    ['UNKNOWN_TOPIC_OR_PARTITION', 'topics create'],
    ['MESSAGE_TOO_LARGE', 'max.message.bytes'],
    ['INVALID_REPLICATION_FACTOR', '--replication-factor'],
  ])('the explanation of %s contains advice: %s', (type, advice) => {
    const message = explain(retried(protocolError(type)))
    expect(message).toContain(advice)
    expect(message).toContain(`(${type})`)
  })

  test('names a type without advice', () => {
    expect(explain(protocolError('SOMETHING_NEW'))).toBe('A Kafka broker rejected a request (SOMETHING_NEW).')
  })

  test('never contains the original message, which may contain hosts and records', () => {
    const errors = [protocolError('SOMETHING_NEW'), retried(connectionError('EPIPE')), new Error(HOST), HOST]
    expect(errors.map((error) => explain(error)).filter((message) => message.includes(HOST))).toEqual([])
  })
})

describe('the explanation of a missing topic permission', () => {
  test.each([
    ['reading', 'grant READ on the input and retry topics'],
    ['writing', 'grant WRITE on the result, retry and dead-letter topics'],
    ['creating topics', 'grant CREATE, ALTER and DESCRIBE_CONFIGS'],
  ] as const)('while %s is: %s', (doing, advice) => {
    expect(explain(protocolError('TOPIC_AUTHORIZATION_FAILED'), doing)).toContain(advice)
    expect(explain(protocolError('OPERATION_NOT_ATTEMPTED'), doing)).toContain(advice)
  })

  test.each([
    ['reading', 'GROUP_AUTHORIZATION_FAILED', 'grant READ on the group'],
    ['writing', 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'grant WRITE on transactional ids'],
    ['writing', 'GROUP_COORDINATOR_NOT_AVAILABLE', '__transaction_state'],
  ] as const)('while %s without a coordinator (%s) is: %s', (doing, type, advice) => {
    expect(explain(protocolError(type), doing)).toContain(advice)
  })

  test('a missing permission is named even if several topics were rejected at once', () => {
    const errors = [protocolError('TOPIC_AUTHORIZATION_FAILED'), protocolError('TOPIC_AUTHORIZATION_FAILED')]
    const all = Object.assign(new Error(HOST), { name: 'KafkaJSAggregateError', errors })
    expect(explain(all, 'creating topics')).toContain('grant CREATE')
  })
})

test('the message of a nested operator error is kept', () => {
  expect(explain(retried(new OperatorError('Do this.')))).toBe('Do this.')
})

describe('a transient Kafka error', () => {
  test.each(['GROUP_COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR_FOR_GROUP', 'LEADER_NOT_AVAILABLE'])(
    'is %s, which brokers return during a leader change',
    (type) => expect(isPassing(retried(protocolError(type)))).toBe(true),
  )

  test('is an unreachable broker', () => {
    expect(isPassing(retried(connectionError('ECONNREFUSED')))).toBe(true)
    expect(isPassing(Object.assign(new Error(HOST), { name: 'KafkaJSNoBrokerAvailableError' }))).toBe(true)
  })

  test.each(['GROUP_AUTHORIZATION_FAILED', 'SASL_AUTHENTICATION_FAILED', 'UNSUPPORTED_VERSION'])(
    'is not %s',
    (type) => expect(isPassing(retried(protocolError(type)))).toBe(false),
  )

  test('is not a programming error', () => {
    expect(isPassing(retried(new TypeError('a defect')))).toBe(false)
  })
})

test.each([
  ['TOPIC_AUTHORIZATION_FAILED', true],
  ['SASL_AUTHENTICATION_FAILED', true],
  ['UNKNOWN', false],
  ['CORRUPT_MESSAGE', false],
  ['NOT_LEADER_FOR_PARTITION', false],
])('%s is treated as a rejection: %s', (type, expected) => {
  expect(isRefusal(retried(protocolError(type)))).toBe(expected)
})
