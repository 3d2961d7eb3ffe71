/**
 * Which broker coordinates a group or the transactions of a producer. Not as kafkajs looks it up: it passes over the broker's
 * reason when it refuses to say, such as a missing right.
 */
import type { Clock } from '../../ports.ts'
import { retryRequest } from './retry-request.ts'
import type { Broker, Cluster } from './internals.ts'

export interface CoordinatorOf {
  readonly groupId: string
  /** One of {@link COORDINATOR}. */
  readonly coordinatorType: number
}

/** The topic of groups or transactions is being created, or its leader has moved to a broker that is not known yet. */
const WHILE_IT_MOVES = {
  retriable: new Set(['GROUP_COORDINATOR_NOT_AVAILABLE', 'KafkaJSBrokerNotFound']),
  maxTries: 6,
  backOffMs: { first: 50, max: 500, factor: 2 },
} as const

/** Rejects with what the broker said. */
export async function findCoordinatorId(cluster: Cluster, of: CoordinatorOf): Promise<number> {
  const any = await cluster.brokerPool.findConnectedBroker()
  const { coordinator } = await any.findGroupCoordinator({ ...of })
  return coordinator.nodeId
}

/** Connected. Rejects with what the broker said, once it says the same for some seconds. */
export function findCoordinator(
  cluster: Cluster,
  of: CoordinatorOf,
  clock: Pick<Clock, 'after'>,
): Promise<Broker> {
  return retryRequest(
    async () => cluster.findBroker({ nodeId: await findCoordinatorId(cluster, of) }),
    { ...WHILE_IT_MOVES, clock },
    () => cluster.refreshMetadata(),
  )
}
