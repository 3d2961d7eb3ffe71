/**
 * Connections for claims, shared by partition number: partitions with the same number modulo {@link MAX_CLUSTERS} use the same
 * ones, so their number does not grow with the partitions. A broker works off one connection's requests in turn, which is why
 * there is not one for all.
 *
 * After a failure the failing user retires what it used: whoever claims next gets new connections and fresh metadata, while
 * others finish on the old ones.
 */
import type { Cluster } from './internals.ts'

/** Enough that partitions hardly wait for each other; more would cost memory and sockets. */
const MAX_CLUSTERS = 16

export interface AcquiredCluster {
  readonly cluster: Cluster
  /** `failed`: nobody else starts on this cluster. Disconnects after its last user; never rejects. */
  release(how: { readonly failed: boolean }): Promise<void>
}

export class SharedClusters {
  readonly #create: () => Cluster
  /** Connects, and loads what claims need to know. */
  readonly #open: (cluster: Cluster) => Promise<void>
  readonly #current = new Map<number, Shared>()

  constructor(create: () => Cluster, open: (cluster: Cluster) => Promise<void>) {
    this.#create = create
    this.#open = open
  }

  /** Rejects with what the brokers said. */
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
    // The connection is gone, which is what was wanted.
  }
}
