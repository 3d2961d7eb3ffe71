/**
 * Chooses the partition of a record by the murmur2 hash of its key, like the Java client and compatible ones. Pure.
 * Ported to TypeScript from `org.apache.kafka.common.utils.Utils.murmur2` (Apache Kafka, Copyright The Apache Software
 * Foundation, Apache License 2.0).
 */

/** A record without a key goes to partition 0, because the choice must be repeatable. */
export function partitionOfKey(key: Buffer | null, partitions: number): number {
  return key === null ? 0 : (murmur2(key) & 0x7fffffff) % partitions
}

/**
 * The partition of an output. It is the number of the event's partition if the topic has it, so that order within a key
 * is kept and one replica owns both. Otherwise it depends on the key, or without a key on the event's partition.
 */
export function partitionOfOutput(eventPartition: number, key: Buffer | null, partitions: number): number {
  if (eventPartition < partitions) return eventPartition
  return key === null ? eventPartition % partitions : partitionOfKey(key, partitions)
}

const SEED = 0x9747b28c
const M = 0x5bd1e995

/** A signed 32-bit hash. */
export function murmur2(bytes: Buffer): number {
  const whole = bytes.length - (bytes.length % 4)
  let hash = SEED ^ bytes.length
  for (let at = 0; at < whole; at += 4) hash = Math.imul(hash, M) ^ mix(bytes.readInt32LE(at))
  for (let at = bytes.length - 1; at >= whole; at -= 1) hash ^= (bytes[at] ?? 0) << ((at - whole) * 8)
  if (bytes.length > whole) hash = Math.imul(hash, M)
  hash = Math.imul(hash ^ (hash >>> 13), M)
  return hash ^ (hash >>> 15)
}

function mix(word: number): number {
  const multiplied = Math.imul(word, M)
  return Math.imul(multiplied ^ (multiplied >>> 24), M)
}
