import { beforeEach, describe, expect, test } from 'vitest'
import { GroupInstance } from '../../../../../src/adapters/kafka/group/group-instance.ts'
import { FakeGroup, HEARTBEAT_MS, failure } from '../../../../support/fake-group.ts'

let group: FakeGroup

describe('a static member', () => {
  const UUID = '-01234567-89ab-cdef-0123-456789abcdef'
  let instance: GroupInstance

  beforeEach(() => {
    instance = new GroupInstance('pod-1')
    group = new FakeGroup(instance)
  })

  test('sends its instance id when it joins, in heartbeats, and when it leaves', async () => {
    await group.member.join()
    await group.clock.advance(HEARTBEAT_MS)
    await group.member.leave()
    expect(group.seen().filter((one) => one.includes(' as '))).toEqual([
      'join @1 as pod-1',
      'sync 1 as pod-1',
      'heartbeat 1@1 as pod-1',
      'leave as pod-1',
    ])
  })

  test.each([
    [true, 'its own predecessor', `pod-1${UUID}`],
    [false, 'a member whose id begins like its own', `pod-1-2${UUID}`],
    [false, 'another member', `pod-2${UUID}`],
  ])('watches the topics: %s, if the leader of the group is %s', async (isLeader, _, leader) => {
    group.leader = leader
    await group.member.join()
    expect(group.seen()).not.toContain('assign')
    expect(group.assigned?.isLeader).toBe(isLeader)
  })

  test('does not join a broker that does not know static members, and says so', async () => {
    group.hasStaticMembers = false
    await expect(group.member.join()).rejects.toMatchObject({
      name: 'OperatorError',
      message: expect.stringMatching(
        /^KAFKA_GROUP_INSTANCE_ID is pod-1, but the brokers do not support static membership, which needs Kafka 2\.3 or newer\./,
      ),
      retryAfterMs: expect.any(Number),
    })
    expect(group.seen()).toEqual(['find'])
  })

  test('reports that the brokers speak an old protocol among themselves', async () => {
    group.answers['join @1 as pod-1'] = [failure('UNSUPPORTED_VERSION')]
    await expect(group.member.join()).rejects.toThrow(/inter\.broker\.protocol\.version/)
  })

  test('ends when another process takes its id, and does not fight for it', async () => {
    await group.member.join()
    group.answers['heartbeat 1@1 as pod-1'] = [failure('FENCED_INSTANCE_ID')]
    await group.clock.advance(HEARTBEAT_MS)
    expect(group.ended).toMatchObject({
      message: expect.stringMatching(
        /^Another process uses KAFKA_GROUP_INSTANCE_ID pod-1 in the group group and /,
      ),
      retryAfterMs: expect.any(Number),
    })
    expect(instance.isTaken).toBe(true)

    const next = new FakeGroup(instance)
    next.members = [{ memberId: `pod-1${UUID}`, clientHost: '/10.0.0.7' }]
    await expect(next.member.join()).rejects.toThrow('(it connects from 10.0.0.7)')
    expect(next.seen()).toEqual(['find', 'describe'])

    next.members = [{ memberId: `pod-2${UUID}`, clientHost: '/10.0.0.8' }]
    await next.member.join()
    expect(instance.isTaken).toBe(false)
    expect(next.seen()).toContain('join @1 as pod-1')
  })

  test('that leaves does not take its own successor for another process', async () => {
    await group.member.join()
    group.answers['leave as pod-1'] = [failure('FENCED_INSTANCE_ID')]
    await group.member.leave()
    expect(instance.isTaken).toBe(false)
  })
})
