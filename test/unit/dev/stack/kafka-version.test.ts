import { expect, test } from 'vitest'
import {
  authorizerOf,
  DEFAULT_KAFKA,
  needsZooKeeper,
  parseKafkaVersion,
  scalaOf,
  stackKafka,
  TESTED_KAFKA,
} from '../../../../dev/stack/kafka-version.ts'

test('the default is the version in dev/pom.xml, and STACK_KAFKA_VERSION replaces it', () => {
  expect(DEFAULT_KAFKA).toMatch(/^\d+\.\d+\.\d+$/)
  expect(stackKafka({})).toBe(DEFAULT_KAFKA)
  expect(stackKafka({ STACK_KAFKA_VERSION: '2.6.3' })).toBe('2.6.3')
})

test('the tested versions are complete, and the default is one of them', () => {
  expect(TESTED_KAFKA.map(parseKafkaVersion)).toEqual(TESTED_KAFKA)
  expect(TESTED_KAFKA).toContain(DEFAULT_KAFKA)
})

test.each(['2.6', '4', 'latest', '2.6.3-rc1', ''])('"%s" is rejected with an example', (text) => {
  expect(() => parseKafkaVersion(text)).toThrow(
    `"${text}" is not a version of Kafka. Expected three numbers, for example 2.6.3.`,
  )
})

test.each([
  ['2.2.2', true, '2.12', /SimpleAclAuthorizer$/],
  ['2.6.3', true, '2.13', /\.AclAuthorizer$/],
  ['3.2.3', true, '2.13', /\.AclAuthorizer$/],
  ['3.3.2', false, '2.13', /StandardAuthorizer$/],
  ['4.3.0', false, '2.13', /StandardAuthorizer$/],
  ['10.0.0', false, '2.13', /StandardAuthorizer$/],
])('Kafka %s: ZooKeeper %s, Scala %s', (version, zookeeper, scala, authorizer) => {
  expect(needsZooKeeper(version)).toBe(zookeeper)
  expect(scalaOf(version)).toBe(scala)
  expect(authorizerOf(version)).toMatch(authorizer)
})
