import { expect, test } from 'vitest'
import type { Blocked } from '../../../src/pipeline/delivery/blocked-partitions.ts'
import { ServiceHealth, type ObservedSession } from '../../../src/app/health.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { queueWith } from '../../support/permit-queue.ts'

const SHARDS = {
  partitions: [
    { topic: 'in', partition: 1 },
    { topic: 'in', partition: 0 },
    { topic: 'retry.10s', partition: 1 },
  ],
  lag: 12,
  backlog: 3,
  unclaimed: 0,
}

function health({ shards = SHARDS, warnings = [] }: Partial<ObservedSession> = {}) {
  const blocked: Blocked[] = []
  const one = new ServiceHealth({
    clock: new FakeClock(),
    permits: queueWith().queue,
    blocked: { all: blocked },
    registryWaiting: () => 0,
    share: () => '5 per second',
    facts: { service: 'checkresult-stream 1.2.3' },
  })
  return { health: one, blocked, session: { shards, warnings } }
}

test('the status page shows the partitions in the short form of the log, and their lag', () => {
  const { health: running, session } = health()
  running.running(session)
  expect(running.status()).toEqual({
    service: 'checkresult-stream 1.2.3',
    phase: 'running',
    'quota share': '5 per second',
    partitions: 'in [0 1], retry.10s [1]',
    lag: 12,
    'buffered records': 3,
    'calls in flight': 0,
    'records waiting for registry': 0,
    'circuit breaker': 'closed',
  })
})

test('the status page shows what /readyz says that the replica waits for', () => {
  const { health: starting } = health()
  starting.starting('The topic verification.result does not exist.')
  expect(starting.status()).toMatchObject({
    phase: 'starting',
    'waiting for': 'The topic verification.result does not exist.',
  })
  const warning = 'The leader of partition 1 of in does not answer.'
  const { health: running, session } = health({ shards: { ...SHARDS, unclaimed: 2 }, warnings: [warning] })
  running.running(session)
  expect(running.status()).toMatchObject({ 'waiting for': `Partitions not claimed yet: 2. ${warning}` })
})
