import { expect, test } from 'vitest'
import { ConsumerGroupClass } from '../../../../src/adapters/kafka/internals.ts'
import { patchHeartbeat } from '../../../../src/adapters/kafka/patch-heartbeat.ts'

const INTERVAL_MS = 20

/** As kafkajs makes it, with a coordinator that counts. */
function memberOf(group: { heartbeats: number }) {
  const Group = ConsumerGroupClass as unknown as new (options: object) => typeof ConsumerGroupClass.prototype
  const member = new Group({
    logger: { namespace: () => ({}) },
    instrumentationEmitter: { emit: () => undefined },
    topics: [],
    retry: {},
  })
  const coordinator = {
    heartbeat: () => {
      group.heartbeats += 1
      return Promise.resolve()
    },
  }
  return Object.assign(member, { memberId: 'member-1', coordinator })
}

test('a coordinator that cannot be reached is looked up anew, and hears the heartbeat', async () => {
  patchHeartbeat()
  const group = { heartbeats: 0 }
  const member = memberOf(group)
  const { coordinator } = member
  const dead = {
    heartbeat: () => Promise.reject(Object.assign(new Error('gone'), { name: 'KafkaJSConnectionError' })),
  }
  const cluster = { findGroupCoordinator: () => Promise.resolve(coordinator) }
  Object.assign(member, { coordinator: dead, cluster, lastRequest: 0 })
  await member.heartbeat({ interval: INTERVAL_MS })
  expect(group.heartbeats).toBe(1)
})

test('a refused heartbeat leaves the coordinator as it is', async () => {
  patchHeartbeat()
  const member = memberOf({ heartbeats: 0 })
  const refusing = { heartbeat: () => Promise.reject(new Error('The group is rebalancing')) }
  Object.assign(member, { coordinator: refusing, lastRequest: 0 })
  await expect(member.heartbeat({ interval: INTERVAL_MS })).rejects.toThrow('rebalancing')
  expect(member.coordinator).toBe(refusing)
})

test('heartbeats go on when the clock has been put back', async () => {
  patchHeartbeat()
  const group = { heartbeats: 0 }
  const member = memberOf(group)
  member.lastRequest = Date.now() + 3_600_000
  await member.heartbeat({ interval: INTERVAL_MS })
  expect(group.heartbeats).toBe(0)
  await expect
    .poll(async () => {
      await member.heartbeat({ interval: INTERVAL_MS })
      return group.heartbeats
    })
    .toBe(1)
})
