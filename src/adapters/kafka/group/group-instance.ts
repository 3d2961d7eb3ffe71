/**
 * Static membership (KIP-345). A process that joins with the instance id of a member replaces it: it gets a new member id
 * and the same partitions, and the group continues without a rebalance. The broker rejects the next request of the
 * replaced process with FENCED_INSTANCE_ID.
 *
 * The object outlives sessions, because a replaced process must not rejoin while the other one is a member. The two
 * would replace each other forever.
 */
import { OperatorError } from '../../../core/safe-error.ts'

/** A dash and a UUID, which the broker appends to the instance id. */
const MEMBER_ID_SUFFIX_LENGTH = 37
const RETRY_MS = 5_000
const UPGRADE_RETRY_MS = 30_000

export class GroupInstance {
  readonly id: string
  /** Another process has joined with this id, and is not known to have left. */
  isTaken = false

  constructor(id: string) {
    this.id = id
  }

  /** Whether the member has this instance id. */
  owns(memberId: string): boolean {
    return memberId.length === this.id.length + MEMBER_ID_SUFFIX_LENGTH && memberId.startsWith(`${this.id}-`)
  }

  /** `clientHost` as in DescribeGroups; null if it is not known. */
  taken(groupId: string, clientHost: string | null): OperatorError {
    this.isTaken = true
    const from = clientHost === null ? '' : ` (it connects from ${clientHost.replace(/^\//, '')})`
    return new OperatorError(
      `Another process uses KAFKA_GROUP_INSTANCE_ID ${this.id} in the group ${groupId}${from} and has taken over the partitions of this one. This process reads nothing, and joins again when the other one has left. Give each replica its own id, for example the name of its pod or host.`,
      RETRY_MS,
    )
  }

  unsupported(): OperatorError {
    return new OperatorError(
      `KAFKA_GROUP_INSTANCE_ID is ${this.id}, but the brokers do not support static membership, which needs Kafka 2.3 or newer. Upgrade the brokers and their inter.broker.protocol.version, or unset KAFKA_GROUP_INSTANCE_ID (in the chart: staticMembership: false).`,
      UPGRADE_RETRY_MS,
    )
  }
}
