/** A stack of the test's own, whose service is a user that rights can be taken from. */
import { Secret } from '../../src/config/secret.ts'
import kafkajs, { type AclResourceTypes, type Kafka } from 'kafkajs'
import { createKafkaClient } from '../../src/adapters/kafka/client.ts'
import { startStack, type Stack } from '../../dev/stack/stack.ts'
import { fakeLog } from './fakes.ts'

export interface RestrictedStack {
  readonly stack: Stack
  /** By which the service logs in. */
  readonly settings: Readonly<Record<string, string>>
  /** May do everything. */
  readonly kafka: Kafka
  /** Takes every right on these from the service. */
  readonly deny: (resourceType: AclResourceTypes, resourceName: string) => Promise<void>
}

const PASSWORD = 'fictitious'
const USER = 'tester'
const ADMIN = 'admin'

export async function startRestrictedStack(): Promise<RestrictedStack> {
  const stack = await startStack({
    kafkaProperties: {
      'listener.security.protocol.map': 'CLIENT:SASL_PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'listener.name.client.sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.client.plain.sasl.jaas.config':
        'org.apache.kafka.common.security.plain.PlainLoginModule required ' +
        `user_${USER}="${PASSWORD}" user_${ADMIN}="${PASSWORD}";`,
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'allow.everyone.if.no.acl.found': 'true',
      // The broker itself, and the test.
      'super.users': `User:ANONYMOUS;User:${ADMIN}`,
    },
    // A test may be about just that.
    onCrash: () => {},
  })
  const sasl = { mechanism: 'plain', username: ADMIN, password: new Secret(PASSWORD) } as const
  const { kafka } = createKafkaClient(
    { brokers: stack.brokers, clientId: 'test', tls: null, sasl },
    fakeLog(),
  )
  return {
    stack,
    settings: {
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_USERNAME: USER,
      KAFKA_SASL_PASSWORD: PASSWORD,
    },
    kafka,
    deny: (resourceType, resourceName) => deny(kafka, resourceType, resourceName),
  }
}

async function deny(kafka: Kafka, resourceType: AclResourceTypes, resourceName: string): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createAcls({
    acl: [
      {
        resourceType,
        resourceName,
        resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
        principal: `User:${USER}`,
        host: '*',
        operation: kafkajs.AclOperationTypes.ALL,
        permissionType: kafkajs.AclPermissionTypes.DENY,
      },
    ],
  })
  await admin.disconnect()
}
