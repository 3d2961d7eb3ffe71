/** Sends one event to the input topic, to try the service out on a machine without Kafka's tools. */
import kafkajs from 'kafkajs'

const { KAFKA_BROKERS, KAFKA_INPUT_TOPIC = 'verification.completed' } = process.env
const [transactionId] = process.argv.slice(2)

if (KAFKA_BROKERS === undefined || transactionId === undefined) {
  process.stderr.write('Usage: KAFKA_BROKERS=host:port npx node dev/send-event.ts TRANSACTION_ID\n')
  process.exit(2)
}

const kafka = new kafkajs.Kafka({ brokers: KAFKA_BROKERS.split(','), logLevel: kafkajs.logLevel.ERROR })
const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
await producer.connect()
const value = JSON.stringify({ transactionId, merchantBizId: 'biz1', completedAt: Date.now() })
const [written] = await producer.send({ topic: KAFKA_INPUT_TOPIC, messages: [{ key: transactionId, value }] })
await producer.disconnect()
process.stdout.write(`Sent to partition ${written?.partition} at offset ${written?.baseOffset}.\n`)
