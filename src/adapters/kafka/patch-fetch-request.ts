/**
 * What a fetch asks for, and for how long it may wait for it.
 *
 * It asks for what is not paused when it is sent. With all busy partitions paused at once it waits at the broker for
 * partitions that have nothing, half a second with our settings, and no other can be sent meanwhile: lanes that are resumed
 * run dry. Patched here: while a partition is paused a fetch waits a little only. Else lanes would need so much in hand
 * as lasts half a second, which is memory for each partition.
 *
 * And it asks for all topics, though what stands in retry topics is due later: with three of them they are three quarters
 * of each request and each answer, 4 % of the CPU at 200/s. Patched here: beside the one topic that is urgent the others are
 * asked for now and then, or each time for as long as they have something.
 */
import type { Assigner, TopicPartitions } from 'kafkajs'
import { ConsumerGroupClass, type ConsumerGroup } from './internals.ts'

/** An assigner that says which topic is asked for each time. Without one all are: assigners are what a consumer can hand in. */
export interface UrgentAssigner extends Assigner {
  readonly urgentTopic: string
}

/** Twenty fetches a second at most while a lane waits for the quota. */
const WHILE_PAUSED_MS = 50
/** Shorter than any delay a retry topic is likely to have. */
const OTHERS_EVERY_MS = 200

/** Of one broker, from which one fetch at a time is under way. */
interface Turn {
  /** When the topics that are not urgent are to be asked for next. */
  othersDueMs: number
  /** The fetch under way asks for them. */
  asksForAll: boolean
}

const original = {
  fetch: ConsumerGroupClass.prototype.fetch,
  filterPartitionsByNode: ConsumerGroupClass.prototype.filterPartitionsByNode,
}
const asSetUpMs = new WeakMap<ConsumerGroup, number>()
const turns = new WeakMap<ConsumerGroup, Map<number, Turn>>()

export function patchFetchRequest(): void {
  ConsumerGroupClass.prototype.fetch = fetch
  ConsumerGroupClass.prototype.filterPartitionsByNode = filterPartitionsByNode
}

async function fetch(this: ConsumerGroup, nodeId: number): Promise<readonly { readonly topic: string }[]> {
  const longestMs = asSetUpMs.get(this) ?? this.maxWaitTime
  asSetUpMs.set(this, longestMs)
  const urgent = urgentTopicOf(this)
  const turn = turnOf(this, nodeId)
  const restMs = urgent === null ? Infinity : begin(turn)
  const isPaused = this.subscriptionState.paused().length > 0
  this.maxWaitTime = Math.min(longestMs, isPaused ? WHILE_PAUSED_MS : Infinity, Math.ceil(restMs))
  const batches = await original.fetch.call(this, nodeId)
  if (turn.asksForAll && batches.some(({ topic }) => topic !== urgent)) turn.othersDueMs = -Infinity
  return batches
}

/** How long until the others are to be asked for, milliseconds; Infinity where they are now. */
function begin(turn: Turn): number {
  const nowMs = performance.now()
  const restMs = turn.othersDueMs - nowMs
  turn.asksForAll = restMs <= 0
  if (!turn.asksForAll) return restMs
  turn.othersDueMs = nowMs + OTHERS_EVERY_MS
  return Infinity
}

/** Asked by the library in each fetch. */
function filterPartitionsByNode(
  this: ConsumerGroup,
  nodeId: number,
  all: readonly TopicPartitions[],
): readonly TopicPartitions[] {
  const led = original.filterPartitionsByNode.call(this, nodeId, all)
  if (turnOf(this, nodeId).asksForAll) return led
  const urgent = urgentTopicOf(this)
  return led.filter(({ topic }) => topic === urgent)
}

function turnOf(group: ConsumerGroup, nodeId: number): Turn {
  const ofGroup = turns.get(group) ?? new Map<number, Turn>()
  turns.set(group, ofGroup)
  const turn = ofGroup.get(nodeId) ?? { othersDueMs: -Infinity, asksForAll: true }
  ofGroup.set(nodeId, turn)
  return turn
}

function urgentTopicOf({ assigners }: ConsumerGroup): string | null {
  for (const assigner of assigners)
    if ('urgentTopic' in assigner) return (assigner as UrgentAssigner).urgentTopic
  return null
}
