/** A partition of a topic, and its key in maps and names. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`
}
