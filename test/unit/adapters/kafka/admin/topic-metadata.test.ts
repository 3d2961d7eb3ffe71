import { describe, expect, test } from 'vitest'
import { decodeAnswer, encodeRequest } from '../../../../../src/adapters/kafka/admin/topic-metadata.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** A broker's response: one broker, a topic with two partitions of which one has no leader, and a missing topic. */
const ANSWER = Buffer.concat([
  // Tagged fields of the header, throttle time.
  hex('00 00000005'),
  // One broker: id, host, port, no rack.
  hex('02 00000001 05 68616c6c 00002384 00 00'),
  // Cluster id, controller.
  hex('03 6162 00000001'),
  hex('03'),
  // The first topic: no error, name, id, not internal.
  hex('0000 03 696e 0123456789abcdef0123456789abcdef 00 03'),
  hex('0000 00000000 00000001 00000007 0200000001 0200000001 01 00'),
  hex('0005 00000001 ffffffff 00000007 0200000001 01 0200000001 00'),
  // Authorized operations, tagged fields with an unknown one.
  hex('80000000 01 05 02 abcd'),
  // The second topic: unknown.
  hex('0003 05 676f6e65 00000000000000000000000000000000 00 01 80000000 00'),
  hex('80000000 00'),
])

describe('metadata with topic ids', () => {
  test('is requested by name without creating topics', () => {
    expect(encodeRequest(['in', 'b']).toString('hex')).toBe(
      `0003${'00'.repeat(16)}03696e00${'00'.repeat(16)}02620000000000`,
    )
  })

  test('has an error code for each topic and partition', () => {
    expect(decodeAnswer(ANSWER)).toMatchObject({
      brokers: [{ nodeId: 1, host: 'hall', port: 9092 }],
      topicMetadata: [
        {
          topic: 'in',
          topicErrorCode: 0,
          topicId: '0123456789abcdef0123456789abcdef',
          partitionMetadata: [
            { partitionId: 0, leader: 1, partitionErrorCode: 0 },
            { partitionId: 1, leader: -1, partitionErrorCode: 5 },
          ],
        },
        { topic: 'gone', topicErrorCode: 3, topicId: '0'.repeat(32), partitionMetadata: [] },
      ],
    })
  })
})
