/**
 * Messages in formats before Kafka 0.11 (magic 0 and 1), which old topics may still contain. kafkajs decodes them.
 */
import type { InputRecord } from '../../../ports.ts'
import { NO_HEADERS } from '../../../core/records/headers.ts'
import { DecoderClass, decodeMessages } from '../kafkajs/internals.ts'

const NO_TIMESTAMP = -1

/** Decodes one message, or the messages in a compressed one. Rejects unreadable data. */
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
