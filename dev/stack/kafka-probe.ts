/** Sends a broker the requests that clients send, with the service's own client. */
import { randomUUID } from 'node:crypto'
import type { Kafka } from 'kafkajs'
import { createKafkaClient } from '../../src/adapters/kafka/client.ts'
import type { Log } from '../../src/ports.ts'

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} }
const RETRY = { initialRetryTime: 20, multiplier: 1.2, retries: 40 }

/**
 * Rejects unless the broker answers, has joined the cluster, and has served a group and a transaction: Kafka creates
 * their internal topics on first use and rejects clients until they exist.
 */
export async function servesClients(broker: string): Promise<void> {
  const kafka = connectTo([broker])
  const unique = `probe-${randomUUID()}`
  const admin = kafka.admin({ retry: { retries: 0 } })
  const retryingAdmin = kafka.admin({ retry: RETRY })
  const producer = kafka.producer({ transactionalId: unique, retry: RETRY })
  try {
    await admin.connect()
    const { brokers } = await admin.describeCluster()
    if (brokers.length === 0) throw new Error('No broker has joined yet.')
    await Promise.all([retryingAdmin.connect(), producer.connect()])
    await Promise.all([
      retryingAdmin.fetchOffsets({ groupId: unique, topics: [] }),
      producer.transaction().then(async (transaction) => transaction.abort()),
    ])
  } finally {
    await Promise.allSettled([admin.disconnect(), retryingAdmin.disconnect(), producer.disconnect()])
  }
}

/** The controller according to the brokers, which is right only with ZooKeeper. */
export async function controllerId(brokers: readonly string[]): Promise<number | undefined> {
  const admin = connectTo(brokers).admin({ retry: RETRY })
  await admin.connect()
  try {
    return (await admin.describeCluster()).controller ?? undefined
  } finally {
    await admin.disconnect()
  }
}

function connectTo(brokers: readonly string[]): Kafka {
  return createKafkaClient({ brokers, clientId: 'local-stack', tls: null, sasl: null }, silent).kafka
}
