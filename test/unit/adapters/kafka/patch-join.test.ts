import { createRequire } from 'node:module'
import { setImmediate } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { ConsumerGroupClass } from '../../../../src/adapters/kafka/internals.ts'
import { patchJoin } from '../../../../src/adapters/kafka/patch-join.ts'

interface Running {
  start(): Promise<void>
  stop(): Promise<void>
}
const require = createRequire(import.meta.url)
const Runner = require('kafkajs/src/consumer/runner') as new (options: object) => Running

const silent = new Proxy({}, { get: (_, name) => (name === 'namespace' ? () => silent : () => undefined) })
const QUICKLY = { retries: 1_000, initialRetryTime: 1, maxRetryTime: 1 }

/** The library's own member and fetch loop; the group answers each attempt to join as told, and what is done is noted. */
function memberOf(answers: readonly ('joined' | { type: string })[]) {
  const done: string[] = []
  const attempts = [...answers]
  const coordinator = {
    joinGroup: () => {
      const answer = attempts.shift() ?? 'joined'
      done.push(answer === 'joined' ? 'joined' : answer.type)
      if (answer === 'joined') return Promise.resolve({ generationId: 1, leaderId: 'other', memberId: 'me' })
      return Promise.reject(Object.assign(new Error(answer.type), { ...answer, retriable: true }))
    },
    syncGroup: () => Promise.resolve({ memberAssignment: Buffer.alloc(0) }),
    leaveGroup: () => Promise.resolve(),
  }
  const cluster = {
    connect: () => Promise.resolve(),
    refreshMetadataIfNecessary: () => Promise.resolve(),
    findGroupCoordinator: () => Promise.resolve(coordinator),
    getNodeIds: () => [0],
  }
  const Group = ConsumerGroupClass as unknown as new (options: object) => typeof ConsumerGroupClass.prototype
  const member = new Group({
    logger: silent,
    instrumentationEmitter: { emit: () => undefined },
    topics: [],
    assigners: [],
    retry: QUICKLY,
    cluster,
  })
  const fetch = async () => {
    done.push('fetched')
    await setImmediate()
    // The first round learns that the group rebalances.
    if (done.filter((one) => one === 'fetched').length > 1) return []
    throw Object.assign(new Error('rebalancing'), { type: 'REBALANCE_IN_PROGRESS' })
  }
  const runner = new Runner({
    logger: silent,
    consumerGroup: Object.assign(member, { fetch }),
    instrumentationEmitter: { emit: () => undefined },
    concurrency: 1,
    onCrash: () => done.push('crashed'),
    retry: QUICKLY,
    heartbeatInterval: 1_000_000,
  })
  return { runner, done }
}

test('who could not join because the coordinator was not ready does not fetch, but joins again', async () => {
  patchJoin()
  const notReady = { type: 'GROUP_LOAD_IN_PROGRESS' }
  const { runner, done } = memberOf(['joined', notReady, notReady, 'joined'])
  await runner.start()
  onTestFinished(() => runner.stop())
  await expect.poll(() => done.length).toBeGreaterThan(6)
  expect(done.slice(0, 6)).toEqual([
    'joined',
    'fetched',
    'GROUP_LOAD_IN_PROGRESS',
    'GROUP_LOAD_IN_PROGRESS',
    'joined',
    'fetched',
  ])
})
