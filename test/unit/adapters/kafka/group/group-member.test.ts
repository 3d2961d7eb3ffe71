import { beforeEach, describe, expect, test } from 'vitest'
import { flushPromises } from '../../../../support/fake-clock.ts'
import { ASSIGNED, FakeGroup, HEARTBEAT_MS, SESSION_MS, failure } from '../../../../support/fake-group.ts'

const unreachable = () => Object.assign(new Error('no'), { name: 'KafkaJSConnectionError' })

let group: FakeGroup

beforeEach(() => {
  group = new FakeGroup()
})

test('the leader assigns partitions to all members, and the assignment carries the time of the request', async () => {
  await group.clock.advance(5)
  await group.member.join()
  expect(group.seen()).toEqual(['find', 'before rejoin', 'join @1', 'assign', 'sync 1', 'assigned 1'])
  expect(group.assigned).toMatchObject({
    memberId: 'me',
    isLeader: true,
    sent: { monotonicMs: 5 },
    memberAssignment: ASSIGNED,
  })
})

test('other members send no assignments', async () => {
  group.leader = 'other'
  await group.member.join()
  expect(group.seen()).toContain('sync 0')
  expect(group.assigned?.isLeader).toBe(false)
})

test('a group that is not ready is joined again until it is', async () => {
  group.answers['find'] = [failure('GROUP_COORDINATOR_NOT_AVAILABLE')]
  group.answers['join @1'] = [failure('GROUP_LOAD_IN_PROGRESS'), unreachable()]
  group.answers['sync 1'] = [failure('REBALANCE_IN_PROGRESS')]
  const joined = group.member.join()
  await group.clock.advance(1_000)
  await joined
  expect(group.seen().filter((one) => one.startsWith('assigned'))).toEqual(['assigned 2'])
})

test('a member id that the group has forgotten is dropped', async () => {
  group.answers['sync 1'] = [failure('UNKNOWN_MEMBER_ID')]
  await group.member.join()
  expect(group.seen().filter((one) => one.startsWith('join'))).toEqual(['join @1', 'join @1'])
})

test('a rejection is returned to the caller at once', async () => {
  group.answers['find'] = [failure('GROUP_AUTHORIZATION_FAILED')]
  await expect(group.member.join()).rejects.toMatchObject({ type: 'GROUP_AUTHORIZATION_FAILED' })
})

test('joining fails if the group does not respond for a session timeout', async () => {
  group.answers['find'] = Array.from({ length: 100 }, unreachable)
  const joined = group.member.join().catch((error: unknown) => error)
  await group.clock.advance(SESSION_MS + 1_000)
  expect(await joined).toMatchObject({ name: 'KafkaJSConnectionError' })
})

describe('a group member', () => {
  beforeEach(async () => {
    await group.member.join()
    group.seen()
  })

  test('sends heartbeats by the monotonic clock, even if the wall clock jumps', async () => {
    group.clock.jump(-3_600_000)
    await group.clock.advance(2 * HEARTBEAT_MS)
    expect(group.seen()).toEqual(['heartbeat 1@1', 'accepted 1000', 'heartbeat 1@1', 'accepted 2000'])
  })

  test.each(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION'])(
    'rejoins with the same member id on %s',
    async (type) => {
      group.answers['heartbeat 1@1'] = [failure(type)]
      await group.clock.advance(HEARTBEAT_MS)
      expect(group.seen()).toEqual([
        'heartbeat 1@1',
        'rebalancing',
        'before rejoin',
        'join me@1',
        'assign',
        'sync 1',
        'assigned 2',
      ])
    },
  )

  test('rejoins with a new member id if the group has forgotten it', async () => {
    group.answers['heartbeat 1@1'] = [failure('UNKNOWN_MEMBER_ID')]
    await group.clock.advance(HEARTBEAT_MS)
    expect(group.seen()).toContain('join @1')
  })

  test.each([
    ['moved', failure('NOT_COORDINATOR_FOR_GROUP')],
    ['cannot be reached', unreachable()],
  ])('keeps its membership if the coordinator has %s', async (_, error) => {
    group.answers['heartbeat 1@1'] = [error]
    group.coordinatorId = 2
    await group.clock.advance(HEARTBEAT_MS + 100)
    expect(group.seen()).toEqual(['heartbeat 1@1', 'find', 'heartbeat 1@2', 'accepted 1050'])
  })

  test('ends with a reason if the group has not responded for a session timeout', async () => {
    group.answers['heartbeat 1@1'] = Array.from({ length: 100 }, unreachable)
    await group.clock.advance(HEARTBEAT_MS + SESSION_MS - 1)
    expect(group.ended).toBeNull()
    await group.clock.advance(HEARTBEAT_MS)
    expect(group.ended).toMatchObject({ name: 'KafkaJSConnectionError' })
  })

  test('ends at once if it is rejected', async () => {
    group.answers['heartbeat 1@1'] = [failure('GROUP_AUTHORIZATION_FAILED')]
    await group.clock.advance(HEARTBEAT_MS)
    expect(group.ended).toMatchObject({ type: 'GROUP_AUTHORIZATION_FAILED' })
  })

  test('rejoins at once if topic metadata has changed', async () => {
    group.member.rejoin()
    await flushPromises()
    expect(group.seen()).toEqual([
      'rebalancing',
      'before rejoin',
      'join me@1',
      'assign',
      'sync 1',
      'assigned 2',
    ])
  })

  test('commits with its generation', async () => {
    await group.member.commit([])
    expect(group.seen()).toEqual(['commit 1'])
  })

  test('calls onBeforeRejoin before it leaves, and does nothing afterwards', async () => {
    await group.member.leave()
    expect(group.seen()).toEqual(['before rejoin', 'leave'])
    await group.clock.advance(SESSION_MS)
    expect(group.seen()).toEqual([])
    expect(group.ended).toBeNull()
  })

  test('leaves even if the coordinator rejects the request', async () => {
    group.answers['leave'] = [unreachable()]
    await expect(group.member.leave()).resolves.toBeUndefined()
  })

  test('stops waiting for a pending join and leaves after a while', async () => {
    group.answers['join me@1'] = ['hang']
    group.member.rejoin()
    await flushPromises()
    const left = group.member.leave()
    await group.clock.advance(3_000)
    await left
    expect(group.seen()).toContain('leave')
  })
})
