import kafkajs from 'kafkajs'
import { expect, test } from 'vitest'
import { BrokerClass, ConsumerGroupClass } from '../../../../src/adapters/kafka/internals.ts'
import { patchJoin } from '../../../../src/adapters/kafka/patch-join.ts'
import {
  patchMembership,
  takeHeartbeat,
  takeSyncAnswer,
} from '../../../../src/adapters/kafka/patch-membership.ts'

const { MemberAssignment } = kafkajs.AssignerProtocol

/** As kafkajs makes it, with a broker that writes down what is asked of it. */
function memberOf(happened: string[]) {
  const Group = ConsumerGroupClass as unknown as new (options: object) => typeof ConsumerGroupClass.prototype
  const member = new Group({
    logger: { namespace: () => ({}) },
    instrumentationEmitter: { emit: () => undefined },
    topics: [],
    retry: { retries: 0 },
    assigners: [{ protocol: () => ({}), stepsOut: () => void happened.push('steps out') }],
  })
  const coordinator = {
    joinGroup: () => {
      happened.push('joins')
      return Promise.reject(Object.assign(new Error('no'), { retriable: false }))
    },
    leaveGroup: () => {
      happened.push('leaves')
      return Promise.resolve()
    },
  }
  const cluster = { findGroupCoordinator: () => Promise.resolve(coordinator) }
  return Object.assign(member, { memberId: 'member-1', coordinator, cluster })
}

test('the assigners are told before the member asks to join, on whatever way there, and before it leaves', async () => {
  // As each client does: what the one patch does must outlive the other.
  for (let clients = 0; clients < 2; clients += 1) {
    patchJoin()
    patchMembership()
  }
  const happened: string[] = []
  const member = memberOf(happened)
  await expect(member.joinAndSync()).rejects.toThrow('no')
  await member.leave()
  expect(happened).toEqual(['steps out', 'joins', 'steps out', 'leaves'])
  expect(() => member.getNodeIds()).toThrow('has not been joined')
})

/** A broker of kafkajs's own kind whose answers come when the test says so. */
function brokerAnswering(answer: () => Promise<unknown>) {
  const Broker = BrokerClass as unknown as new (options: object) => {
    heartbeat(request: object): Promise<unknown>
    syncGroup(request: object): Promise<unknown>
  }
  const broker = new Broker({ connectionPool: { send: answer }, logger: { namespace: () => ({}) } })
  return Object.assign(broker, { lookupRequest: () => () => ({}) })
}

test('a heartbeat counts from when it was sent, not from when it was answered, and once', async () => {
  patchMembership()
  const answer = Promise.withResolvers<unknown>()
  const broker = brokerAnswering(() => answer.promise)
  const beforeMs = performance.now()
  const pending = broker.heartbeat({ groupId: 'g', memberId: 'member-2', groupGenerationId: 3 })
  const sentMs = performance.now()
  await expect.poll(() => performance.now() - sentMs).toBeGreaterThan(20)
  answer.resolve({})
  await pending
  const { monotonicMs, epochMs } = takeHeartbeat('member-2')
  expect(monotonicMs).toBeGreaterThanOrEqual(beforeMs)
  expect(monotonicMs).toBeLessThanOrEqual(sentMs)
  expect(epochMs).toBeLessThanOrEqual(Date.now() - 19)
  expect(() => takeHeartbeat('member-2')).toThrow('has not come')
})

test('a refused heartbeat does not count', async () => {
  patchMembership()
  const broker = brokerAnswering(() => Promise.reject(new Error('The group is rebalancing')))
  const request = { groupId: 'g', memberId: 'member-3', groupGenerationId: 3 }
  await expect(broker.heartbeat(request)).rejects.toThrow('rebalancing')
  expect(() => takeHeartbeat('member-3')).toThrow('has not come')
})

test("an assignment comes with its generation and the leader's words", async () => {
  patchMembership()
  const memberAssignment = MemberAssignment.encode({
    version: 0,
    assignment: { in: [1] },
    userData: Buffer.from('words'),
  })
  const broker = brokerAnswering(() => Promise.resolve({ memberAssignment }))
  await broker.syncGroup({ groupId: 'g', memberId: 'member-4', generationId: 7, groupAssignment: [] })
  const { generation, userData } = takeSyncAnswer('member-4')
  expect([generation, String(userData)]).toEqual([7, 'words'])
})
