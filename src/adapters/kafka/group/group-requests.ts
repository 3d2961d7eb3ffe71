/**
 * The requests of a group member. The methods of kafkajs's Broker class do not pass on the group instance id, although its
 * encoders take it: JoinGroup from version 5 on, SyncGroup, Heartbeat and LeaveGroup from version 3 on.
 */
import { encode, send } from '../broker-requests.ts'
import { API_KEYS, type Broker } from '../kafkajs/internals.ts'

export interface MemberIdentity {
  readonly groupId: string
  /** Empty for a new member. */
  readonly memberId: string
  /** Null without static membership. Brokers before Kafka 2.3 ignore it: see {@link supportsStaticMembers}. */
  readonly groupInstanceId: string | null
}

export interface JoinRequest extends MemberIdentity {
  readonly sessionTimeout: number
  readonly rebalanceTimeout: number
  readonly groupProtocols: readonly { readonly name: string; readonly metadata: Buffer }[]
}

export interface JoinAnswer {
  readonly generationId: number
  /** A static member that rejoins a group without a rebalance receives the id of the leader before that. */
  readonly leaderId: string
  readonly memberId: string
  /** All members if this one is the leader, else empty. */
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[]
}

const STATIC_JOIN_VERSION = 5

export function supportsStaticMembers(broker: Broker): boolean {
  return (broker.versions?.[API_KEYS.JoinGroup]?.maxVersion ?? 0) >= STATIC_JOIN_VERSION
}

export async function joinGroup(broker: Broker, request: JoinRequest): Promise<JoinAnswer> {
  const join = (memberId: string): Promise<unknown> =>
    send(broker, encode(broker, 'JoinGroup', { ...request, memberId, protocolType: 'consumer' }))
  try {
    return (await join(request.memberId)) as JoinAnswer
  } catch (error) {
    // A new dynamic member first receives an id, and joins with it.
    if (!isMemberIdRequired(error)) throw error
    return (await join(error.memberId)) as JoinAnswer
  }
}

export async function syncGroup(
  broker: Broker,
  request: MemberIdentity & {
    readonly generationId: number
    readonly groupAssignment: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[]
  },
): Promise<{ readonly memberAssignment: Buffer }> {
  const answer = await send(broker, encode(broker, 'SyncGroup', request))
  return answer as { readonly memberAssignment: Buffer }
}

export async function heartbeat(
  broker: Broker,
  request: MemberIdentity & { readonly groupGenerationId: number },
): Promise<void> {
  await send(broker, encode(broker, 'Heartbeat', request))
}

/** Removes a static member, too, because the request names its member id. */
export async function leaveGroup(broker: Broker, request: MemberIdentity): Promise<void> {
  await send(broker, encode(broker, 'LeaveGroup', request))
}

/** `clientHost` is an address after a slash. */
export async function membersOf(
  broker: Broker,
  groupId: string,
): Promise<readonly { readonly memberId: string; readonly clientHost: string }[]> {
  const answer = await send(broker, encode(broker, 'DescribeGroups', { groupIds: [groupId] }))
  const { groups } = answer as {
    groups: readonly { readonly members: Awaited<ReturnType<typeof membersOf>> }[]
  }
  return groups.flatMap(({ members }) => members)
}

function isMemberIdRequired(error: unknown): error is Error & { readonly memberId: string } {
  return error instanceof Error && error.name === 'KafkaJSMemberIdRequired'
}
