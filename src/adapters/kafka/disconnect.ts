import type { Cluster } from './kafkajs/internals.ts'

/** Never rejects. */
export async function disconnect(cluster: Cluster): Promise<void> {
  try {
    await cluster.disconnect()
  } catch {
    // The connection is already gone.
  }
}
