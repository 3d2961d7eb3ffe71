/** The versions of Kafka that the local stack can run, and what differs between them. */
import { readFileSync } from 'node:fs'
import { StackError } from './stack-error.ts'

const [, pinned = ''] =
  /<kafka\.version>(.+)<\/kafka\.version>/.exec(
    readFileSync(new URL('../pom.xml', import.meta.url), 'utf8'),
  ) ?? []

/** The version in dev/pom.xml. */
export const DEFAULT_KAFKA = pinned

/** The version that stacks run unless told otherwise: any suite runs on the version of the variable. */
export function stackKafka(environment: NodeJS.ProcessEnv = process.env): string {
  return parseKafkaVersion(environment['STACK_KAFKA_VERSION'] || DEFAULT_KAFKA)
}

/** The versions on which `npm run test:brokers` runs its tests. */
export const TESTED_KAFKA: readonly string[] = ['2.6.3', '3.3.2', DEFAULT_KAFKA]

/** Throws a StackError unless the text is a complete version. Whether it exists turns out when it is downloaded. */
export function parseKafkaVersion(text: string): string {
  if (/^\d+\.\d+\.\d+$/.test(text)) return text
  throw new StackError(`"${text}" is not a version of Kafka. Expected three numbers, for example 2.6.3.`)
}

/** Kafka's own quorum (KRaft) is ready for use since 3.3. */
export function needsZooKeeper(version: string): boolean {
  return isBefore(version, 3, 3)
}

/** The Scala version in the name of the Maven artifact. */
export function scalaOf(version: string): string {
  return isBefore(version, 2, 4) ? '2.12' : '2.13'
}

/** The class that checks access rights. */
export function authorizerOf(version: string): string {
  if (!needsZooKeeper(version)) return 'org.apache.kafka.metadata.authorizer.StandardAuthorizer'
  return isBefore(version, 2, 4)
    ? 'kafka.security.auth.SimpleAclAuthorizer'
    : 'kafka.security.authorizer.AclAuthorizer'
}

function isBefore(version: string, major: number, minor: number): boolean {
  const [ofMajor = 0, ofMinor = 0] = version.split('.').map(Number)
  return ofMajor < major || (ofMajor === major && ofMinor < minor)
}
