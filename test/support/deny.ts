/** Rights taken from a user of the listener with the login. */
import kafkajs, { type AclResourceTypes } from 'kafkajs'
import { connectTo } from './kafka.ts'
import type { User } from './login-listener.ts'

/** Takes every right on these from the user, and leaves them to everybody else. */
export async function deny(user: User, resourceType: AclResourceTypes, resourceName: string): Promise<void> {
  const { AclPermissionTypes: permissions } = kafkajs
  const entry = {
    resourceType,
    resourceName,
    resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
    host: '*',
    operation: kafkajs.AclOperationTypes.ALL,
  }
  const admin = connectTo().admin()
  await admin.connect()
  await admin.createAcls({
    acl: [
      { ...entry, principal: `User:${user}`, permissionType: permissions.DENY },
      // Without it nobody but the super users might use what has an entry.
      { ...entry, principal: 'User:*', permissionType: permissions.ALLOW },
    ],
  })
  await admin.disconnect()
}
