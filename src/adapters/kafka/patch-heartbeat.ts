/**
 * Two things kafkajs's heartbeats do not survive.
 *
 * It sends one when the wall clock says that an interval has passed since the last. Put back by an hour, the clock says so
 * an hour later: the group gives the member up long before, and nobody tells it. Patched here: a last heartbeat that lies
 * in the future counts as sent now.
 *
 * It asks who coordinates the group when it joins, and never again: when that broker dies, heartbeats go on to be sent to
 * it until it returns. Patched here: a coordinator that cannot be reached is looked up anew. The group has moved with its
 * members, so the next heartbeat is accepted and nothing is rebalanced.
 */
import { ConsumerGroupClass, type ConsumerGroup } from './internals.ts'

const UNREACHABLE: ReadonlySet<unknown> = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
])

const original = ConsumerGroupClass.prototype.heartbeat

export function patchHeartbeat(): void {
  ConsumerGroupClass.prototype.heartbeat = heartbeat
}

async function heartbeat(this: ConsumerGroup, options: { interval: number }): Promise<void> {
  this.lastRequest = Math.min(this.lastRequest, Date.now())
  try {
    await original.call(this, options)
  } catch (error) {
    if (!(error instanceof Error && UNREACHABLE.has(error.name))) throw error
    this.coordinator = await this.cluster.findGroupCoordinator({ groupId: this.groupId })
    // At once: the library would first wait, and longer each time, while the session goes on.
    await original.call(this, options)
  }
}
