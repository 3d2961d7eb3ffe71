/**
 * Finds the coordinator of a group or of a producer's transactions. kafkajs's own lookup hides the broker's reason
 * for a rejection, such as a missing permission.
 */
import type { Clock } from '../../../ports.ts'
import { retryRequest } from '../retry-request.ts'
import type { Broker, Cluster } from '../kafkajs/internals.ts'

export interface CoordinatorOf {
  readonly groupId: string
  /** One of {@link COORDINATOR}. */
  readonly coordinatorType: number
}

/** The internal topic is being created, or its leader has moved to a broker that is not known yet. */
const WHILE_IT_MOVES = {
  retriable: new Set(['GROUP_COORDINATOR_NOT_AVAILABLE', 'KafkaJSBrokerNotFound']),
  maxTries: 6,
  backOffMs: { first: 50, max: 500, factor: 2 },
} as const

/** Rejects with the broker's error. */
export async function findCoordinatorId(cluster: Cluster, of: CoordinatorOf): Promise<number> {
  const any = await cluster.brokerPool.findConnectedBroker()
  const { coordinator } = await any.findGroupCoordinator({ ...of })
  return coordinator.nodeId
}

/** Returns a connected broker. Rejects with the broker's error once it has persisted for some seconds. */
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
