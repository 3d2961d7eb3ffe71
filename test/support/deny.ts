/** Denies rights to a user of the login listener. */
import kafkajs, { type AclResourceTypes } from 'kafkajs'
import { connectTo } from './kafka.ts'
import type { User } from './login-listener.ts'

/** Denies the user every right on these resources. All other users keep theirs. */
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
      // Without this entry, only super users could use a resource that has an ACL entry.
      { ...entry, principal: 'User:*', permissionType: permissions.ALLOW },
    ],
  })
  await admin.disconnect()
}
