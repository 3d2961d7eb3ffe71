/**
 * kafkajs gives up joining a group when the coordinator is not ready yet (GROUP_LOAD_IN_PROGRESS, as after a move to another
 * broker), and goes back to fetching: with the assignment it had, or with none for the generation it has just joined. The
 * group may well accept the heartbeats, so it stays like that for ever, and nobody is told how the rebalance ended: the
 * lanes would wait for its end, holding all calls. Patched here: who has begun to join does nothing else until it has
 * joined. The fetch loop, asked which brokers to fetch from, is told to join again.
 */
import { ConsumerGroupClass, type ConsumerGroup } from './internals.ts'

const original = {
  joinAndSync: ConsumerGroupClass.prototype.joinAndSync,
  getNodeIds: ConsumerGroupClass.prototype.getNodeIds,
}
const joining = new WeakSet<ConsumerGroup>()

export function patchJoin(): void {
  ConsumerGroupClass.prototype.joinAndSync = joinAndSync
  ConsumerGroupClass.prototype.getNodeIds = getNodeIds
}

async function joinAndSync(this: ConsumerGroup): Promise<void> {
  joining.add(this)
  await original.joinAndSync.call(this)
  joining.delete(this)
}

function getNodeIds(this: ConsumerGroup): number[] {
  if (joining.has(this)) throw new NotJoinedError()
  return original.getNodeIds.call(this)
}

/** Like the group's own refusal of a heartbeat, on which the library joins. */
class NotJoinedError extends Error {
  readonly type = 'REBALANCE_IN_PROGRESS'

  constructor() {
    super('The group has not been joined yet')
  }
}
