/**
 * A listener of the test broker that requires a password, and users who can be denied rights. Clients of the other
 * listeners may do everything.
 */
import type { Env } from '../../dev/harness/commands.ts'
import { QUICK_START } from '../../dev/stack/java.ts'
import { authorizerOf, stackKafka } from '../../dev/stack/kafka-version.ts'
import type { StackOptions } from '../../dev/stack/stack.ts'

export const LOGIN_LISTENER = 'LOGIN'
const PASSWORD = 'fictitious'
const USERS = ['tester', 'without_transactions'] as const
export type User = (typeof USERS)[number]

/** The other listeners need no authentication, and their clients may do everything. */
export const WITH_LOGIN_LISTENER: StackOptions = {
  kafkaListeners: [LOGIN_LISTENER],
  kafkaJavaOptions: QUICK_START,
  kafkaProperties: {
    'listener.security.protocol.map':
      'CLIENT:PLAINTEXT,LOGIN:SASL_PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'listener.name.login.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.login.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${USERS.map((user) => `user_${user}="${PASSWORD}"`).join(' ')};`,
    'authorizer.class.name': authorizerOf(stackKafka()),
    'allow.everyone.if.no.acl.found': 'true',
    'super.users': 'User:ANONYMOUS',
  },
}

/** The settings of a service that logs in there. */
export function loginSettings(broker: string, user: User = 'tester', password = PASSWORD): Env {
  return {
    KAFKA_BROKERS: broker,
    KAFKA_SASL_MECHANISM: 'plain',
    KAFKA_SASL_USERNAME: user,
    KAFKA_SASL_PASSWORD: password,
  }
}
