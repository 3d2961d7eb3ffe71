/** A group member with its coordinator, which counts generations and logs requests. */
import { GroupMember, type Assigned } from '../../src/adapters/kafka/group/group-member.ts'
import type { GroupInstance } from '../../src/adapters/kafka/group/group-instance.ts'
import type { Cluster, Exchange } from '../../src/adapters/kafka/kafkajs/internals.ts'
import { FakeClock } from './fake-clock.ts'
import { answerGroupRequest, groupVersions, readGroupRequest, type GroupAnswer } from './group-wire.ts'

export const SESSION_MS = 10_000
export const HEARTBEAT_MS = 1_000
export const ASSIGNED = Buffer.from('assigned')

/** As kafkajs throws a protocol error. */
export const failure = (type: string) => Object.assign(new Error('no'), { type })

/** The coordinator's next responses; errors are thrown. Requests succeed if there is none. */
export type Answer = Error | 'hang'

export class FakeGroup {
  readonly clock = new FakeClock()
  readonly log: string[] = []
  readonly answers: Record<string, Answer[]> = {}
  coordinatorId = 1
  generation = 0
  leader = 'me'
  hasStaticMembers = true
  /** All members, as DescribeGroups returns them. */
  members: GroupAnswer['members'] = []
  assigned: Assigned | null = null
  ended: unknown = null
  readonly member: GroupMember

  constructor(instance: GroupInstance | null = null) {
    const cluster = {
      connect: () => Promise.resolve(),
      refreshMetadata: () => Promise.resolve(),
      brokerPool: { findConnectedBroker: () => Promise.resolve(this.#broker(0)) },
      findBroker: ({ nodeId }: { nodeId: number }) => Promise.resolve(this.#broker(nodeId)),
    } as unknown as Cluster
    this.member = new GroupMember({
      cluster,
      groupId: 'group',
      instance,
      sessionTimeoutMs: SESSION_MS,
      protocol: {
        name: 'test',
        metadata: () => Buffer.from('words'),
        assign: (members) => {
          this.log.push('assign')
          return Promise.resolve(members.map(({ memberId }) => ({ memberId, memberAssignment: ASSIGNED })))
        },
      },
      clock: this.clock,
      log: {},
      onBeforeRejoin: () => this.log.push('before rejoin'),
      onRebalancing: () => this.log.push('rebalancing'),
      onAssigned: (assigned) => {
        this.log.push(`assigned ${assigned.generation}`)
        this.assigned = assigned
      },
      onHeartbeat: ({ monotonicMs }) => this.log.push(`accepted ${monotonicMs}`),
      onActivity: () => {},
      onEnd: (error) => (this.ended = error),
    })
  }

  /** Requests since the last call. */
  seen(): string[] {
    return this.log.splice(0)
  }

  #broker(nodeId: number) {
    const answer = async <T>(name: string, value: () => T): Promise<T> => {
      this.log.push(name)
      const next = this.answers[name]?.shift()
      if (next === 'hang') await new Promise(() => {})
      if (next instanceof Error) throw next
      return value()
    }
    return {
      nodeId,
      findGroupCoordinator: () => answer('find', () => ({ coordinator: { nodeId: this.coordinatorId } })),
      versions: groupVersions(this),
      connectionPool: {
        send: async (exchange: Exchange) => {
          const { api, memberId, instanceId, generation, assignments } = await readGroupRequest(exchange)
          const name = {
            JoinGroup: `join ${memberId}@${nodeId}`,
            SyncGroup: `sync ${assignments}`,
            Heartbeat: `heartbeat ${generation}@${nodeId}`,
            LeaveGroup: 'leave',
            DescribeGroups: 'describe',
          }[api]
          await answer(instanceId === null ? name : `${name} as ${instanceId}`, () => null)
          if (api === 'JoinGroup') this.generation += 1
          return answerGroupRequest(exchange, {
            memberId: 'me',
            generation: this.generation,
            leaderId: this.leader,
            assignment: ASSIGNED,
            members: this.members,
          })
        },
      },
      offsetCommit: ({ groupGenerationId }: { groupGenerationId: number }) =>
        answer(`commit ${groupGenerationId}`, () => ({})),
    }
  }
}
