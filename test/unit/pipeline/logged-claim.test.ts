import { expect, test } from 'vitest'
import { loggedClaim } from '../../../src/pipeline/logged-claim.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakePartition } from '../../support/fake-partition.ts'
import { runningLane } from '../../support/lane.ts'
import { recordingLog } from '../../support/recording-log.ts'

test('claims, commits and the end of a lane are logged at level debug', async () => {
  const partition = new FakePartition()
  const log = recordingLog(true)
  const claim = loggedClaim(partition.claim, { clock: new FakeClock(), log })
  const { lane, receive, finish, clock } = await runningLane(partition, { claim })
  await receive(0)
  await finish(0)
  await clock.advance(1_000)
  await lane.revoke()
  const at = { topic: 'in', partition: 0 }
  expect(log.lines.map(({ fields }) => fields)).toMatchObject([
    { ...at, outcome: 'claimed', offset: '-1' },
    { ...at, outcome: 'committed', offset: '1', count: 1 },
    at,
  ])
  expect(new Set(log.lines.map(({ level }) => level))).toEqual(new Set(['debug']))
})

test('a failed claim is logged with the error code of the broker', async () => {
  const partition = new FakePartition()
  partition.refusals = 1
  const log = recordingLog(true)
  await loggedClaim(partition.claim, { clock: new FakeClock(), log })('in', 0)
  expect(log.lines).toMatchObject([{ fields: { outcome: 'failed', code: expect.any(String) as unknown } }])
})

test('a claim is not wrapped if debug logging is off', () => {
  const { claim } = new FakePartition()
  expect(loggedClaim(claim, { clock: new FakeClock(), log: recordingLog() })).toBe(claim)
})
