/**
 * Simulates a consumer group whose members share a quota, on virtual time. The coordinator behaves like Kafka's.
 * Members can be slow, lose messages, freeze or die. Each has its own PartitionQuota and always has work. Every call
 * is recorded.
 */
import { partitionsAt, memberCount, assignMembers, shareOf } from '../../src/core/quota/quota-shares.ts'
import { PartitionQuota, type QuotaAssignment } from '../../src/pipeline/calls/partition-quota.ts'
import type { Moment } from '../../src/ports.ts'
import type { VirtualTime } from './virtual-time.ts'

export interface GroupOptions {
  readonly time: VirtualTime
  readonly random: () => number
  readonly permits: number
  readonly partitions: number
  readonly sessionMs: number
  readonly rebalanceMs: number
}

export const WINDOW_MS = 1_000

interface Joined {
  /** Null until it has joined the next generation. */
  answer: ((generation: number, share: number) => void) | null
  lastHeartbeatMs: number
  memberIndex: number | null
  /** Null without static membership. */
  readonly instanceId: string | null
  /** Its share in the current generation. */
  share: number
}

/**
 * Follows Kafka's classic group protocol: a member that is silent for a session timeout, or late for a rebalance, is
 * removed. A new member with the instance id of another one replaces it, without a rebalance unless one is in progress.
 */
class Coordinator {
  readonly #options: GroupOptions
  readonly #members = new Map<string, Joined>()
  #generation = 0
  /**
   * The time at which the rebalance continues without members that have not joined. Null if there is no rebalance.
   */
  #deadlineMs: number | null = null

  constructor(options: GroupOptions) {
    this.#options = options
    this.#watch()
  }

  join(
    id: string,
    { memberIndex, instanceId }: Pick<Joined, 'memberIndex' | 'instanceId'>,
    answer: (generation: number, share: number) => void,
  ): void {
    const lastHeartbeatMs = this.#options.time.nowMs
    const replaced = [...this.#members].find(([of, one]) => of !== id && one.instanceId === instanceId)
    if (instanceId !== null && replaced !== undefined) {
      this.#members.delete(replaced[0])
      if (this.#deadlineMs === null) {
        this.#members.set(id, { ...replaced[1], lastHeartbeatMs })
        answer(this.#generation, replaced[1].share)
        return
      }
    }
    this.#members.set(id, { answer, lastHeartbeatMs, memberIndex, instanceId, share: 0 })
    this.#rebalance()
  }

  leave(id: string): void {
    if (this.#members.delete(id)) this.#rebalance()
  }

  heartbeat(id: string, generation: number): 'accepted' | 'rebalancing' | 'unknown' {
    const member = this.#members.get(id)
    if (member === undefined || generation !== this.#generation) return 'unknown'
    member.lastHeartbeatMs = this.#options.time.nowMs
    return this.#deadlineMs === null ? 'accepted' : 'rebalancing'
  }

  #watch(): void {
    const { time, sessionMs } = this.#options
    for (const [id, { answer, lastHeartbeatMs }] of this.#members) {
      if (answer === null && time.nowMs - lastHeartbeatMs >= sessionMs) this.leave(id)
    }
    this.#complete()
    time.after(20, () => this.#watch())
  }

  #rebalance(): void {
    const { time, rebalanceMs } = this.#options
    this.#deadlineMs ??= time.nowMs + rebalanceMs
    // The coordinator also waits a little for other members.
    time.after(5, () => this.#complete())
  }

  #complete(): void {
    const { time } = this.#options
    if (this.#deadlineMs === null) return
    const isLate = time.nowMs >= this.#deadlineMs
    for (const [id, { answer }] of this.#members) if (isLate && answer === null) this.#members.delete(id)
    if ([...this.#members.values()].some(({ answer }) => answer === null)) return
    this.#deadlineMs = null
    this.#generation += 1
    this.#assign()
  }

  #assign(): void {
    const { permits, partitions, time } = this.#options
    const plan = { permits, partitions }
    const count = memberCount(plan, this.#members.size)
    const assigned = assignMembers(
      [...this.#members].map(([id, { memberIndex }]) => ({ id, memberIndex })),
      count,
    )
    for (const [id, member] of this.#members) {
      const at = assigned.indexOf(id)
      member.memberIndex = at < 0 ? null : at
      member.lastHeartbeatMs = time.nowMs
      member.share = shareOf(partitionsAt(at, { width: partitions, count }), plan)
      member.answer?.(this.#generation, member.share)
      member.answer = null
    }
  }
}

/**
 * One process. While frozen it does nothing, and when it wakes up it catches up at once. A killed one never runs
 * again.
 */
export class Replica {
  static #made = 0
  readonly #group: QuotaGroup
  readonly #quota: PartitionQuota
  readonly #instanceId: string | null
  #id = ''
  #generation = 0
  #joining = 0
  #memberIndex: number | null = null
  #frozenUntilMs = 0
  #jumpedMs = 0
  #alive = true
  #wakeMs = Infinity

  constructor(group: QuotaGroup, instanceId: string | null) {
    this.#group = group
    this.#instanceId = instanceId
    const { permits, sessionMs, time } = group.options
    this.#quota = new PartitionQuota({
      permits,
      windowMs: WINDOW_MS,
      burst: Math.max(1, Math.ceil(permits / 10)),
      leaseMs: sessionMs - 300,
      clock: {
        monotonicMs: () => time.nowMs,
        epochMs: () => time.nowMs + this.#jumpedMs,
        after: () => () => undefined,
      },
    })
    this.#quota.onAvailable(() => this.#call())
    this.#join()
    this.#beat()
  }

  freeze(forMs: number): void {
    this.#frozenUntilMs = this.#group.options.time.nowMs + forMs
  }

  jump(byMs: number): void {
    this.#jumpedMs += byMs
  }

  kill(): void {
    this.#alive = false
  }

  /** Kills the process. The new one has the same instance id. */
  restart(): Replica {
    this.kill()
    return new Replica(this.#group, this.#instanceId)
  }

  /** SIGTERM: stops, then leaves the group. */
  leave(): void {
    this.#local(0, () => {
      this.#quota.stop()
      this.#alive = false
      this.#group.send(() => this.#group.coordinator.leave(this.#id))
    })
  }

  /** The group requires a rejoin, at once or after the current step. */
  rejoin(afterMs: number): void {
    const { time } = this.#group.options
    const joining = this.#joining
    time.after(afterMs, () => this.#local(0, () => joining === this.#joining && this.#join()))
  }

  #join(): void {
    this.#quota.stop()
    if (this.#id === '') this.#id = `member-${(Replica.#made += 1)}`
    const { options, coordinator } = this.#group
    this.#joining += 1
    const [id, joining] = [this.#id, this.#joining]
    this.#group.send(() =>
      coordinator.join(
        id,
        { memberIndex: this.#memberIndex, instanceId: this.#instanceId },
        (generation, share) => {
          this.#generation = generation
          // The SyncGroup response may be late or lost. Then the member joins again.
          const sent = this.#moment()
          const isLost = options.random() < 0.1
          this.#group.send(() =>
            this.#local(0, () => {
              if (joining !== this.#joining) return
              if (isLost) this.rejoin(options.random() * 300)
              else this.#quota.assigned({ generation, share, sent } satisfies QuotaAssignment)
            }),
          )
        },
      ),
    )
  }

  #beat(): void {
    const { options, coordinator } = this.#group
    const sent = this.#moment()
    const [id, joining] = [this.#id, this.#joining]
    this.#group.send(() => {
      const answer = coordinator.heartbeat(id, this.#generation)
      this.#group.send(() =>
        this.#local(0, () => {
          if (answer === 'accepted') this.#quota.heartbeat(sent)
          else if (joining === this.#joining) this.#refused(answer)
        }),
      )
    })
    options.time.after(200 + options.random() * 100, () => this.#local(0, () => this.#beat()))
  }

  #refused(answer: 'rebalancing' | 'unknown'): void {
    const { random, rebalanceMs } = this.#group.options
    if (answer === 'unknown') this.#id = ''
    // Usually soon, but sometimes so late that the group continues without this member.
    this.rejoin(random() < 0.9 ? random() * 300 : random() * 2 * rebalanceMs)
  }

  #call(): void {
    const { time, random } = this.#group.options
    const { nowMs } = time
    const waitMs = this.#quota.take(nowMs)
    if (waitMs === 0) {
      // Between permit and write there is a turn of the event loop, and sometimes a stall.
      const delayMs = random() < 0.95 ? random() * 2 : random() * 400
      time.after(delayMs, () => this.#local(0, () => this.#write(nowMs)))
      time.after(0.01, () => this.#local(0, () => this.#call()))
    } else if (waitMs < Infinity && nowMs + waitMs < this.#wakeMs) {
      this.#wakeMs = nowMs + waitMs
      time.after(waitMs, () =>
        this.#local(random() * 2, () => {
          this.#wakeMs = Infinity
          this.#call()
        }),
      )
    }
  }

  #write(takenMs: number): void {
    const { nowMs } = this.#group.options.time
    if (this.#quota.confirm(takenMs, nowMs)) this.#group.calls.push(nowMs)
  }

  /** Runs an action of the process itself: delayed while it is frozen, never when it is dead. */
  #local(delayMs: number, run: () => void): void {
    const { time } = this.#group.options
    const restMs = Math.max(delayMs, this.#frozenUntilMs - time.nowMs)
    if (!this.#alive) return
    if (restMs <= 0) run()
    else time.after(restMs, () => this.#local(0, run))
  }

  #moment(): Moment {
    const { nowMs } = this.#group.options.time
    return { monotonicMs: nowMs, epochMs: nowMs + this.#jumpedMs }
  }
}

export class QuotaGroup {
  readonly options: GroupOptions
  readonly coordinator: Coordinator
  /** When the calls were written. */
  readonly calls: number[] = []

  constructor(options: GroupOptions) {
    this.options = options
    this.coordinator = new Coordinator(options)
  }

  /** Sends over the network, with a normal or a long delay. */
  send(arrive: () => void): void {
    const { time, random } = this.options
    time.after(random() < 0.95 ? random() * 20 : random() * 500, arrive)
  }
}
