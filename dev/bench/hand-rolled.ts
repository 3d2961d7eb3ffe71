/**
 * A hand-written consumer to compare the service with: kafkajs's `eachBatch`, all calls of a batch at once over
 * undici's Pool, one `send`, then the offset commit. From the same answers it produces the same results as the
 * service, but it delivers at least once, signs nothing, has no quota, no retries, no dead letters and no metrics.
 *
 * Runs as a separate process with the service's settings. Like the service, it prints its address and logs when it is
 * ready.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import kafkajs, { type EachBatchPayload, type KafkaMessage } from 'kafkajs'
import { Pool } from 'undici'
import { parseAnswer } from '../../src/adapters/alibaba/answer.ts'
import { classify } from '../../src/core/calls/classify.ts'
import { applyPatches } from '../../src/adapters/kafka/kafkajs/patches.ts'
import { createEncodeResult } from '../../src/adapters/registry/encode-result.ts'
import { schemaType } from '../../src/adapters/registry/schemas.ts'
import { loadConfig } from '../../src/config.ts'
import { normalize } from '../../src/core/normalize/normalize.ts'
import type { VerificationCompleted } from '../../src/core/records/schema-types.ts'

const HEADER_BYTES = 5
/** The shortest wait its answers allow, so that an idle partition does not delay a busy one. */
const MAX_WAIT_MS = 50
/** With kafkajs's default of 1 MB, all calls of a backlog wait at once and do not fit into a small heap. */
const MAX_BYTES_PER_PARTITION = 64 * 1024

const loaded = loadConfig(process.env)
if (loaded.kind === 'errors') throw new Error(loaded.errors.join('\n'))
const { kafka: settings, consumer: group, topics, checkresult } = loaded.config

// Without this patch, kafkajs's timers use 5 % of a core, which this benchmark does not compare.
applyPatches('request-queue')
const kafka = new kafkajs.Kafka({ brokers: [...settings.brokers], logLevel: kafkajs.logLevel.ERROR })
const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
const consumer = kafka.consumer({
  groupId: group.groupId,
  maxWaitTimeInMs: MAX_WAIT_MS,
  maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
})
const pool = new Pool(checkresult.endpoint, { connections: checkresult.maxInFlight })
const eventType = schemaType('verification-completed')
const encode = createEncodeResult(1)

async function check(message: KafkaMessage, { topic, partition }: EachBatchPayload['batch']) {
  const value = message.value ?? Buffer.alloc(0)
  const event = eventType.fromBuffer(value.subarray(HEADER_BYTES)) as VerificationCompleted
  const query = new URLSearchParams({
    IsReturnImage: 'N',
    MerchantBizId: event.merchantBizId,
    TransactionId: event.transactionId,
  })
  const { body } = await pool.request({ method: 'POST', path: `/?${query.toString()}` })
  const outcome = classify({
    kind: 'answer',
    status: 200,
    retryAfterMs: null,
    ...parseAnswer(await body.json()),
  })
  if (outcome.kind !== 'final') throw new Error('The upstream sent no result.')
  const source = { topic, partition, offset: BigInt(message.offset) }
  const known = { event, attempts: 1, checkedAtMs: Date.now(), source, pii: 'include' } as const
  return { key: message.key, value: encode(normalize(outcome.answer, known)) }
}

async function eachBatch(payload: EachBatchPayload): Promise<void> {
  const { batch } = payload
  const messages = await Promise.all(batch.messages.map((message) => check(message, batch)))
  await producer.send({ topic: topics.result, messages, acks: -1 })
  payload.resolveOffset(batch.lastOffset())
  const offset = String(BigInt(batch.lastOffset()) + 1n)
  await payload.commitOffsetsIfNecessary({
    topics: [{ topic: batch.topic, partitions: [{ partition: batch.partition, offset }] }],
  })
  await payload.heartbeat()
}

await Promise.all([consumer.connect(), producer.connect()])
await consumer.subscribe({ topics: [topics.input], fromBeginning: true })
const joined = new Promise((resolve) => void consumer.on(consumer.events.GROUP_JOIN, resolve))
await consumer.run({
  autoCommit: false,
  eachBatchAutoResolve: false,
  partitionsConsumedConcurrently: 8,
  eachBatch,
})
await joined
const server = createServer((_, response) => response.end('ok\n'))
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ address: `http://127.0.0.1:${port}` })}\n`)
})
process.once('SIGTERM', () => void consumer.disconnect().finally(() => process.exit(0)))
