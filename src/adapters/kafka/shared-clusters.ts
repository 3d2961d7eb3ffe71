/**
 * Connections for claims, shared by partition number: partitions with the same number modulo {@link MAX_CLUSTERS}
 * use the same connections, so their number does not grow with the partitions. There are several, because a broker
 * processes the requests of one connection in order. After a failure its user retires the connections: later claims
 * get new ones with fresh metadata, while others finish on the old ones.
 */
import type { Cluster } from './kafkajs/internals.ts'

/** Enough that partitions rarely wait for each other. More would cost memory and sockets. */
const MAX_CLUSTERS = 16

export interface AcquiredCluster {
  readonly cluster: Cluster
  /** `failed` retires this cluster. Disconnects after its last user. Never rejects. */
  release(how: { readonly failed: boolean }): Promise<void>
}

export class SharedClusters {
  readonly #create: () => Cluster
  /** Connects, and loads the metadata that claims need. */
  readonly #open: (cluster: Cluster) => Promise<void>
  readonly #current = new Map<number, Shared>()

  constructor(create: () => Cluster, open: (cluster: Cluster) => Promise<void>) {
    this.#create = create
    this.#open = open
  }

  /** Rejects with the brokers' error. */
  async acquire(partition: number): Promise<AcquiredCluster> {
    const slot = partition % MAX_CLUSTERS
    const shared = this.#current.get(slot) ?? this.#start(slot)
    shared.users += 1
    const release: AcquiredCluster['release'] = async ({ failed }) => {
      shared.users -= 1
      const isCurrent = this.#current.get(slot) === shared
      if (isCurrent && (failed || shared.users === 0)) this.#current.delete(slot)
      if (shared.users === 0) await disconnect(shared.cluster)
    }
    try {
      await shared.opened
      return { cluster: shared.cluster, release }
    } catch (error) {
      await release({ failed: true })
      throw error
    }
  }

  #start(slot: number): Shared {
    const cluster = this.#create()
    const shared = { cluster, opened: this.#open(cluster), users: 0 }
    this.#current.set(slot, shared)
    return shared
  }
}

interface Shared {
  readonly cluster: Cluster
  readonly opened: Promise<void>
  users: number
}

/** Never rejects. */
export async function disconnect(cluster: Cluster): Promise<void> {
  try {
    await cluster.disconnect()
  } catch {
    // The connection is already gone.
  }
}
