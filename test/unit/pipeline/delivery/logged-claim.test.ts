import { expect, test } from 'vitest'
import { loggedClaim } from '../../../../src/pipeline/delivery/logged-claim.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { FakeShard } from '../../../support/fake-shard.ts'
import { IN_0, runningShard } from '../../../support/shard-bed.ts'
import { recordingLog } from '../../../support/recording-log.ts'

test('claims, commits and the end of a shard are logged at level debug', async () => {
  const broker = new FakeShard()
  const log = recordingLog(true)
  const claim = loggedClaim(broker.claim, { clock: new FakeClock(), log })
  const { shard, receive, finish, clock } = await runningShard(broker, { claim })
  await receive(0)
  await finish(0)
  await clock.advance(1_000)
  await shard.revoke()
  expect(log.lines.map(({ fields }) => fields)).toMatchObject([
    { partitions: 'in [0]', outcome: 'claimed', detail: 'in:0=-1' },
    { outcome: 'committed', detail: 'in:0=1', count: 1 },
    { partitions: 'in [0]' },
  ])
  expect(new Set(log.lines.map(({ level }) => level))).toEqual(new Set(['debug']))
})

test('a failed claim is logged with the error code of the broker', async () => {
  const broker = new FakeShard()
  broker.refusals = 1
  const log = recordingLog(true)
  await loggedClaim(broker.claim, { clock: new FakeClock(), log })(0, [IN_0])
  expect(log.lines).toMatchObject([{ fields: { outcome: 'failed', code: expect.any(String) as unknown } }])
})

test('a claim is not wrapped if debug logging is off', () => {
  const { claim } = new FakeShard()
  expect(loggedClaim(claim, { clock: new FakeClock(), log: recordingLog() })).toBe(claim)
})
