/**
 * One membership of the consumer group: joins, receives its partitions, sends heartbeats, rejoins when the group
 * asks for it, and leaves. If the coordinator cannot be reached or has moved, it is looked up again, and the same
 * member continues. Only {@link GroupMember.leave}, a permanent error, or a session without an answer from the
 * group ends it.
 */
import { Pause } from '../../../core/pause.ts'
import type { Clock, Log, Moment } from '../../../ports.ts'
import { findCoordinatorId } from './coordinator.ts'
import { errorType, isPassing } from '../errors.ts'
import type { GroupInstance } from './group-instance.ts'
import {
  heartbeat,
  joinGroup,
  leaveGroup,
  membersOf,
  supportsStaticMembers,
  syncGroup,
  type JoinAnswer,
  type MemberIdentity,
} from './group-requests.ts'
import { COORDINATOR, type Broker, type Cluster } from '../kafkajs/internals.ts'
import type { TopicOffsets } from './offset-commits.ts'

export interface Protocol {
  readonly name: string
  /** Data for the leader, sent with each join. */
  readonly metadata: () => Buffer
  /** Called on the leader: computes the assignment. */
  readonly assign: (members: JoinAnswer['members']) => Promise<readonly MemberAssignment[]>
}

export interface MemberAssignment {
  readonly memberId: string
  readonly memberAssignment: Buffer
}

export interface Assigned {
  readonly memberId: string
  readonly generation: number
  /** This member must rejoin when the topics change. */
  readonly isLeader: boolean
  /** When the request was sent whose answer contains the assignment. */
  readonly sent: Moment
  /** As encoded by the leader. */
  readonly memberAssignment: Buffer
}

export interface GroupMemberOptions {
  readonly cluster: Cluster
  readonly groupId: string
  /** Null without static membership. */
  readonly instance: GroupInstance | null
  readonly sessionTimeoutMs: number
  readonly protocol: Protocol
  readonly clock: Clock
  readonly log: Pick<Log, 'debug'>
  /** Called right before each JoinGroup and LeaveGroup. */
  readonly onBeforeRejoin: () => void
  readonly onRebalancing: () => void
  /** May throw to decline the assignment. */
  readonly onAssigned: (assigned: Assigned) => void
  readonly onHeartbeat: (sent: Moment) => void
  readonly onActivity: () => void
  /** Called after {@link GroupMember.join} has resolved. No other callback follows. */
  readonly onEnd: (error: unknown) => void
}

/**
 * At least as long as the session: a member that is removed for joining late must have lost its quota lease, see
 * `PartitionQuota`.
 */
const REBALANCE_TIMEOUT_MS = 60_000
const BACK_OFF_MS = { first: 50, max: 1_000 } as const
/** How long leaving waits for a pending join. */
const LEAVE_AFTER_JOIN_MS = 3_000

const REJOIN = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'])

export class GroupMember {
  readonly #options: GroupMemberOptions
  #memberId = ''
  #generation = -1
  /** Null while it must be looked up. */
  #coordinatorId: number | null = null
  #isJoined = false
  #isLeaving = false
  #turn: Promise<void> = Promise.resolve()
  readonly #pause: Pause

  constructor(options: GroupMemberOptions) {
    this.#options = options
    this.#pause = new Pause(options.clock)
  }

  /**
   * Resolves when partitions are assigned. Rejects if the group rejects the member, or does not answer for a
   * session.
   */
  async join(): Promise<void> {
    const { cluster } = this.#options
    await cluster.connect()
    await cluster.refreshMetadata()
    await this.#refuseIfTaken()
    const joining = this.#joinWithRetries()
    this.#turn = joining.catch(() => undefined)
    await joining
    this.#turn = this.#run()
  }

  /** The leader's view of the topics has changed, so the group must be reassigned. */
  rejoin(): void {
    this.#isJoined = false
    this.#pause.end()
  }

  /** Commits as this member. Rejects if the group has changed since. */
  async commit(topics: readonly TopicOffsets[]): Promise<void> {
    await this.#ask((coordinator) =>
      // Needs no instance id, because the group forgets the member id of a replaced process.
      coordinator.offsetCommit({ ...this.#identity(), groupGenerationId: this.#generation, topics }),
    )
  }

  /** Offsets are negative if nothing was committed. */
  async committed(
    topics: { topic: string; partitions: { partition: number }[] }[],
  ): Promise<{ topic: string; partitions: { partition: number; offset: string }[] }[]> {
    const { groupId } = this.#options
    const { responses } = await this.#ask((coordinator) => coordinator.offsetFetch({ groupId, topics }))
    return responses
  }

  /** Never rejects: if the group cannot be reached, it removes the member after the session timeout. */
  async leave(): Promise<void> {
    const { clock, log, onBeforeRejoin } = this.#options
    this.#isLeaving = true
    this.#pause.end()
    await Promise.race([
      this.#turn,
      new Promise<void>((resolve) => void clock.after(LEAVE_AFTER_JOIN_MS, resolve)),
    ])
    if (this.#memberId === '') return
    onBeforeRejoin()
    log.debug?.('Leaving the group.')
    try {
      await this.#ask((coordinator) => leaveGroup(coordinator, this.#identity()))
    } catch {
      // The group has removed the member already, or will.
    }
  }

  async #run(): Promise<void> {
    const { onActivity, onEnd, onRebalancing } = this.#options
    try {
      while (!this.#isLeaving) {
        onActivity()
        if (this.#isJoined) await this.#heartbeat()
        else {
          onRebalancing()
          await this.#joinWithRetries()
        }
      }
    } catch (error) {
      if (!this.#isLeaving) onEnd(error)
    }
  }

  /** Resolves when the next heartbeat is due, or the member must rejoin. */
  async #heartbeat(): Promise<void> {
    // Heartbeats are frequent, because their rejection announces a rebalance.
    await this.#pause.wait(Math.min(1_000, Math.floor(this.#options.sessionTimeoutMs / 5)))
    if (!this.#isJoined || this.#isLeaving) return
    await this.#retryWhilePassing(async () => {
      const sent = now(this.#options.clock)
      await this.#ask((coordinator) =>
        heartbeat(coordinator, { ...this.#identity(), groupGenerationId: this.#generation }),
      )
      this.#options.onHeartbeat(sent)
    })
  }

  async #joinWithRetries(): Promise<void> {
    while (!this.#isJoined && !this.#isLeaving) await this.#retryWhilePassing(() => this.#join())
  }

  /** See {@link GroupInstance}. */
  async #refuseIfTaken(): Promise<void> {
    const { groupId, instance } = this.#options
    if (instance?.isTaken !== true) return
    const members = await this.#ask((coordinator) => membersOf(coordinator, groupId))
    const other = members.find(({ memberId }) => instance.owns(memberId))
    if (other !== undefined) throw instance.taken(groupId, other.clientHost)
    instance.isTaken = false
  }

  async #join(): Promise<void> {
    const { protocol, onAssigned, clock, log } = this.#options
    log.debug?.('Joining the group.', { reason: this.#memberId === '' ? 'as a new member' : 'again' })
    const { memberId, generationId, leaderId, members } = await this.#ask((coordinator) =>
      this.#sendJoin(coordinator),
    )
    this.#memberId = memberId
    this.#generation = generationId
    const isLeader = memberId === leaderId
    const groupAssignment = isLeader ? await protocol.assign(members) : []
    const sent = now(clock)
    const { memberAssignment } = await this.#ask((coordinator) =>
      syncGroup(coordinator, { ...this.#identity(), generationId, groupAssignment }),
    )
    this.#isJoined = true
    log.debug?.('The group has assigned partitions.', {
      reason: isLeader ? 'as leader' : 'as member',
      detail: `Generation ${generationId}.`,
      durationMs: now(clock).monotonicMs - sent.monotonicMs,
    })
    onAssigned({
      memberId,
      generation: generationId,
      // The group kept its assignment, and this member replaces the leader that made it.
      isLeader: isLeader || this.#options.instance?.owns(leaderId) === true,
      sent,
      memberAssignment,
    })
  }

  #sendJoin(coordinator: Broker): Promise<JoinAnswer> {
    const { sessionTimeoutMs, protocol, instance, onBeforeRejoin } = this.#options
    if (instance !== null && !supportsStaticMembers(coordinator)) throw instance.unsupported()
    onBeforeRejoin()
    return joinGroup(coordinator, {
      ...this.#identity(),
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: Math.max(REBALANCE_TIMEOUT_MS, sessionTimeoutMs),
      groupProtocols: [{ name: protocol.name, metadata: protocol.metadata() }],
    })
  }

  /** Retries temporary errors. Ends early if the member must join first. */
  async #retryWhilePassing(request: () => Promise<void>): Promise<void> {
    const { clock, sessionTimeoutMs, log } = this.#options
    let firstFailedMs: number | null = null
    for (let delayMs: number = BACK_OFF_MS.first; ; delayMs = Math.min(delayMs * 2, BACK_OFF_MS.max)) {
      try {
        await request()
        return
      } catch (error) {
        if (this.#isLeaving) return
        const type = errorType(error)
        log.debug?.('A request to the group coordinator failed.', { code: type })
        if (REJOIN.has(type)) {
          if (type === 'UNKNOWN_MEMBER_ID') this.#memberId = ''
          this.#isJoined = false
          return
        }
        const nowMs = clock.monotonicMs()
        firstFailedMs ??= nowMs
        if (!isPassing(error) || nowMs - firstFailedMs >= sessionTimeoutMs) throw this.#explained(error)
      }
      await this.#pause.wait(delayMs)
      if (this.#isLeaving) return
    }
  }

  #explained(error: unknown): unknown {
    const { groupId, instance } = this.#options
    const type = errorType(error)
    if (type === 'FENCED_INSTANCE_ID') return instance?.taken(groupId, null) ?? error
    return type === 'UNSUPPORTED_VERSION' ? (instance?.unsupported() ?? error) : error
  }

  /** Sends one request to the coordinator, which is looked up first if it is not known. */
  async #ask<T>(request: (coordinator: Broker) => Promise<T>): Promise<T> {
    try {
      return await request(await this.#find())
    } catch (error) {
      if (!REJOIN.has(errorType(error))) this.#coordinatorId = null
      throw error
    }
  }

  async #find(): Promise<Broker> {
    const { cluster, groupId } = this.#options
    if (this.#coordinatorId === null) {
      this.#coordinatorId = await findCoordinatorId(cluster, {
        groupId,
        coordinatorType: COORDINATOR.group,
      })
    }
    return cluster.findBroker({ nodeId: this.#coordinatorId })
  }

  #identity(): MemberIdentity {
    const { groupId, instance } = this.#options
    return { groupId, memberId: this.#memberId, groupInstanceId: instance?.id ?? null }
  }
}

function now(clock: Clock): Moment {
  return { monotonicMs: clock.monotonicMs(), epochMs: clock.epochMs() }
}
