/**
 * A fetch asks for what is not paused when it is sent. With all busy partitions paused at once it waits at the broker for
 * partitions that have nothing, half a second with our settings, and no other can be sent meanwhile: lanes that are resumed
 * run dry. Patched here: while a partition is paused a fetch waits a little only. Else lanes would need so much in hand
 * as lasts half a second, which is memory for each partition.
 */
import { ConsumerGroupClass, type ConsumerGroup } from './internals.ts'

/** Twenty fetches a second at most while a lane waits for the quota. */
const WHILE_PAUSED_MS = 50

const original = ConsumerGroupClass.prototype.fetch
const asSetUpMs = new WeakMap<ConsumerGroup, number>()

export function patchFetchWait(): void {
  ConsumerGroupClass.prototype.fetch = fetch
}

function fetch(this: ConsumerGroup, nodeId: number): Promise<unknown> {
  const longestMs = asSetUpMs.get(this) ?? this.maxWaitTime
  asSetUpMs.set(this, longestMs)
  const isPaused = this.subscriptionState.paused().length > 0
  this.maxWaitTime = isPaused ? Math.min(WHILE_PAUSED_MS, longestMs) : longestMs
  return original.call(this, nodeId)
}
