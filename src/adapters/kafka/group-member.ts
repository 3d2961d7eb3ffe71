/**
 * One membership of the consumer group: joins, learns its partitions, sends heartbeats, joins again when the group asks for
 * it, and leaves. When the coordinator cannot be reached or has moved, it is looked up again and the same member goes on.
 * Nothing ends it but {@link GroupMember.leave}, an error that does not pass, and a session without an answer of the group.
 */
import type { Clock, Log, Moment } from '../../ports.ts'
import { findCoordinatorId } from './coordinator.ts'
import { errorType, isPassing } from './errors.ts'
import { COORDINATOR, type Broker, type Cluster, type JoinAnswer } from './internals.ts'
import type { TopicOffsets } from './offset-commits.ts'

export interface Protocol {
  readonly name: string
  /** What this member tells the leader. */
  readonly metadata: () => Buffer
  /** As the leader: who gets what. */
  readonly assign: (members: JoinAnswer['members']) => Promise<readonly MemberAssignment[]>
}

export interface MemberAssignment {
  readonly memberId: string
  readonly memberAssignment: Buffer
}

export interface Assigned {
  readonly memberId: string
  readonly generation: number
  readonly isLeader: boolean
  /** When the request was sent by whose answer this is known. */
  readonly sent: Moment
  /** As the leader wrote it. */
  readonly memberAssignment: Buffer
}

export interface GroupMemberOptions {
  readonly cluster: Cluster
  readonly groupId: string
  readonly sessionTimeoutMs: number
  readonly protocol: Protocol
  readonly clock: Clock
  readonly log: Pick<Log, 'debug'>
  /** Right before each JoinGroup and LeaveGroup. */
  readonly onBeforeRejoin: () => void
  readonly onRebalancing: () => void
  /** May throw: then the member does not want what it was assigned. */
  readonly onAssigned: (assigned: Assigned) => void
  readonly onHeartbeat: (sent: Moment) => void
  readonly onActivity: () => void
  /** After {@link GroupMember.join} has resolved; nothing follows. */
  readonly onEnd: (error: unknown) => void
}

/** Nor shorter than the session's: a member given up for joining late must have lost its lease, see `PartitionQuota`. */
const REBALANCE_TIMEOUT_MS = 60_000
const BACK_OFF_MS = { first: 50, max: 1_000 } as const
/** A member that is joining when it should leave is waited for so long. */
const LEAVE_AFTER_JOIN_MS = 3_000

const REJOIN = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'])

export class GroupMember {
  readonly #options: GroupMemberOptions
  #memberId = ''
  #generation = -1
  /** Null while it has to be looked up. */
  #coordinatorId: number | null = null
  #isJoined = false
  #isLeaving = false
  #turn: Promise<void> = Promise.resolve()
  #wake: () => void = () => undefined

  constructor(options: GroupMemberOptions) {
    this.#options = options
  }

  /** Resolves when partitions are assigned. Rejects when the group refuses, or does not answer for a session. */
  async join(): Promise<void> {
    const { cluster } = this.#options
    await cluster.connect()
    await cluster.refreshMetadata()
    const joining = this.#joinWithRetries()
    this.#turn = joining.catch(() => undefined)
    await joining
    this.#turn = this.#run()
  }

  /** The leader's view of the topics has changed: the group has to be assigned again. */
  rejoin(): void {
    this.#isJoined = false
    this.#wake()
  }

  /** Commits as the member this is; rejects when the group thinks otherwise. */
  async commit(topics: readonly TopicOffsets[]): Promise<void> {
    await this.#ask((coordinator) =>
      coordinator.offsetCommit({ ...this.#identity(), groupGenerationId: this.#generation, topics }),
    )
  }

  /** Offsets are negative where nothing was committed. */
  async committed(
    topics: { topic: string; partitions: { partition: number }[] }[],
  ): Promise<{ topic: string; partitions: { partition: number; offset: string }[] }[]> {
    const { groupId } = this.#options
    const { responses } = await this.#ask((coordinator) => coordinator.offsetFetch({ groupId, topics }))
    return responses
  }

  /** Never rejects: a group that cannot be told finds out by the session's time-out. */
  async leave(): Promise<void> {
    const { clock, log, onBeforeRejoin } = this.#options
    this.#isLeaving = true
    this.#wake()
    await Promise.race([
      this.#turn,
      new Promise<void>((resolve) => void clock.after(LEAVE_AFTER_JOIN_MS, resolve)),
    ])
    if (this.#memberId === '') return
    onBeforeRejoin()
    log.debug?.('Leaving the group.')
    try {
      await this.#ask((coordinator) => coordinator.leaveGroup(this.#identity()))
    } catch {
      // It has been given up already, or will be.
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

  /** Resolves when it is time for the next one, or to join again. */
  async #heartbeat(): Promise<void> {
    // Often, for a rebalance is learned of by a heartbeat's refusal.
    await this.#pause(Math.min(1_000, Math.floor(this.#options.sessionTimeoutMs / 5)))
    if (!this.#isJoined || this.#isLeaving) return
    await this.#retryWhilePassing(async () => {
      const sent = now(this.#options.clock)
      await this.#ask((coordinator) =>
        coordinator.heartbeat({ ...this.#identity(), groupGenerationId: this.#generation }),
      )
      this.#options.onHeartbeat(sent)
    })
  }

  async #joinWithRetries(): Promise<void> {
    while (!this.#isJoined && !this.#isLeaving) await this.#retryWhilePassing(() => this.#join())
  }

  async #join(): Promise<void> {
    const { groupId, sessionTimeoutMs, protocol, onBeforeRejoin, onAssigned, clock, log } = this.#options
    log.debug?.('Joining the group.', { reason: this.#memberId === '' ? 'as a new member' : 'again' })
    const joined = await this.#ask((coordinator) => {
      onBeforeRejoin()
      return coordinator.joinGroup({
        groupId,
        memberId: this.#memberId,
        sessionTimeout: sessionTimeoutMs,
        rebalanceTimeout: Math.max(REBALANCE_TIMEOUT_MS, sessionTimeoutMs),
        groupProtocols: [{ name: protocol.name, metadata: protocol.metadata() }],
      })
    })
    const { memberId, generationId, leaderId, members } = joined
    this.#memberId = memberId
    this.#generation = generationId
    const isLeader = memberId === leaderId
    const groupAssignment = isLeader ? await protocol.assign(members) : []
    const sent = now(clock)
    const { memberAssignment } = await this.#ask((coordinator) =>
      coordinator.syncGroup({ ...this.#identity(), generationId, groupAssignment }),
    )
    this.#isJoined = true
    log.debug?.('The group has assigned partitions.', {
      reason: isLeader ? 'as leader' : 'as member',
      detail: `Generation ${generationId}.`,
      durationMs: now(clock).monotonicMs - sent.monotonicMs,
    })
    onAssigned({ memberId, generation: generationId, isLeader, sent, memberAssignment })
  }

  /** Tries again while it passes; ends early when the member has to join first. */
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
        if (!isPassing(error) || nowMs - firstFailedMs >= sessionTimeoutMs) throw error
      }
      await this.#pause(delayMs)
      if (this.#isLeaving) return
    }
  }

  /** One request to the coordinator, which is looked up first when it is not known. */
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

  #identity(): { groupId: string; memberId: string } {
    return { groupId: this.#options.groupId, memberId: this.#memberId }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(delayMs, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
  }
}

function now(clock: Clock): Moment {
  return { monotonicMs: clock.monotonicMs(), epochMs: clock.epochMs() }
}
