/** Messages in the formats of before Kafka 0.11 (magic 0 and 1), which old topics may still hold. kafkajs decodes them. */
import type { InputRecord } from '../../ports.ts'
import { NO_HEADERS } from '../../core/headers.ts'
import { DecoderClass, decodeMessages } from './internals.ts'

const NO_TIMESTAMP = -1

/** One message, or those in a compressed one. Rejects what cannot be read. */
export async function decodeMessageSet(
  bytes: Buffer,
  { topic, partition }: Pick<InputRecord, 'topic' | 'partition'>,
): Promise<InputRecord[]> {
  const messages = await decodeMessages(new DecoderClass(bytes), bytes.length)
  return messages.map(({ offset, timestamp, key, value }) => ({
    topic,
    partition,
    offset: BigInt(offset),
    timestampMs: Number(timestamp ?? NO_TIMESTAMP),
    key,
    value,
    headers: NO_HEADERS,
  }))
}
