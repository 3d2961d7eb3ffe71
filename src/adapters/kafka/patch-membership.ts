/**
 * What kafkajs does not tell of a member's dealings with its group, and the quota must know.
 *
 * That it is about to join anew, or to leave: `consumer.rebalancing` is not emitted on every way there (not when a
 * partition's leader has moved or a topic has grown), and on leaving nothing is. Patched here: the assigners are told
 * before the request is sent, for they are what a consumer can hand in.
 *
 * When the heartbeat was sent that has been accepted, the generation, and the leader's words to each member (`userData`,
 * which kafkajs decodes and drops). Patched here: kept by member id until the event that follows.
 */
import kafkajs, { type Assigner } from 'kafkajs'
import type { Moment } from '../../ports.ts'
import { BrokerClass, ConsumerGroupClass, type ConsumerGroup } from './internals.ts'

/** An assigner that wants to be told. */
export interface AttentiveAssigner extends Assigner {
  /** From now on the group may decide without asking this member again. */
  readonly stepsOut: () => void
}

/** What came with an assignment. */
export interface SyncAnswer {
  /** When the request was sent. */
  readonly sent: Moment
  readonly generation: number
  readonly userData: Buffer | null
}

const { MemberAssignment } = kafkajs.AssignerProtocol
const synced = new Map<string, SyncAnswer>()
const accepted = new Map<string, Moment>()
const original = {
  joinAndSync: ConsumerGroupClass.prototype.joinAndSync,
  leave: ConsumerGroupClass.prototype.leave,
  heartbeat: BrokerClass.prototype.heartbeat,
  syncGroup: BrokerClass.prototype.syncGroup,
}

export function patchMembership(): void {
  ConsumerGroupClass.prototype.joinAndSync = joinAndSync
  ConsumerGroupClass.prototype.leave = leave
  BrokerClass.prototype.heartbeat = heartbeat
  BrokerClass.prototype.syncGroup = syncGroup
}

/** What is behind the member's `group_join` that is being emitted; once. */
export function takeSyncAnswer(memberId: string): SyncAnswer {
  return take(synced, memberId)
}

/** When the heartbeat was sent whose event is being emitted; once. */
export function takeHeartbeat(memberId: string): Moment {
  return take(accepted, memberId)
}

function take<T>(from: Map<string, T>, memberId: string): T {
  const found = from.get(memberId)
  if (found === undefined) throw new Error('kafkajs tells of an answer of the group that has not come.')
  from.delete(memberId)
  return found
}

function joinAndSync(this: ConsumerGroup): Promise<void> {
  stepsOut(this)
  return original.joinAndSync.call(this)
}

function leave(this: ConsumerGroup): Promise<void> {
  stepsOut(this)
  return original.leave.call(this)
}

function stepsOut({ assigners }: ConsumerGroup): void {
  for (const assigner of assigners) if ('stepsOut' in assigner) (assigner as AttentiveAssigner).stepsOut()
}

async function heartbeat(this: unknown, request: { readonly memberId: string }): Promise<unknown> {
  const sent = now()
  const answer = await original.heartbeat.call(this, request)
  accepted.set(request.memberId, sent)
  return answer
}

async function syncGroup(
  this: unknown,
  request: { readonly memberId: string; readonly generationId: number },
): Promise<{ readonly memberAssignment: Buffer }> {
  const sent = now()
  const answer = await original.syncGroup.call(this, request)
  const userData = MemberAssignment.decode(answer.memberAssignment)?.userData ?? null
  synced.set(request.memberId, { sent, generation: request.generationId, userData })
  return answer
}

function now(): Moment {
  return { monotonicMs: performance.now(), epochMs: Date.now() }
}
