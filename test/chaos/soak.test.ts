/**
 * A long run in calm weather (`npm run test:soak`): a million events through two replicas, as many as some hours bring.
 * Nothing may be lost, repeated or asked too early, and neither memory nor descriptors may grow.
 */
import { expect, onTestFinished, test } from 'vitest'
import { FEW_ARENAS, SMALL_HEAP } from '../../dev/harness/small-heap.ts'
import { startStack } from '../../dev/stack/stack.ts'
import { readOptions } from './options.ts'
import { saveSoak } from './report.ts'
import { growthOf, startSampling } from './samples.ts'
import { Stage } from './stage.ts'

const REPLICAS = 2
/** More than they settle: there is always work waiting. */
const PER_SECOND = 3_000
const DEFAULT_EVENTS = 10_000
const MAX_GROWTH = 1.1
/** A replica in a small container: V8 with memory to spare collects late, and what it holds says nothing. */
const SMALL = { NODE_OPTIONS: SMALL_HEAP.join(' '), ...FEW_ARENAS }
/** One in a hundred is deferred, one refused, one no event. */
const KINDS = ['notyet', 'invalidid', 'poison', ...Array.from({ length: 97 }, () => 'passhkid2018')]

const { soak, save } = readOptions(process.env)
const events = soak ?? DEFAULT_EVENTS

test('events for hours, and nothing grows', { timeout: 3_600_000 }, async () => {
  const stack = await startStack()
  onTestFinished(stack.stop)
  const stage = await Stage.set({
    cluster: { ...stack, proxiedBrokers: stack.brokers, proxiedRegistryUrl: stack.registryUrl },
    perSecond: PER_SECOND,
    replicationFactor: 1,
    kinds: KINDS,
    settings: SMALL,
    outWithinMs: events,
  })
  onTestFinished(async () => stage.clear())
  const replicas = await stage.startReplicas(REPLICAS)
  await stage.startEvents()
  const samplings = replicas.map(({ pid }) => startSampling(pid))
  await stage.untilOut(events)
  const growths = await Promise.all(samplings.map(async (sampling) => growthOf(await sampling.stop())))
  const tally = await stage.tally()
  process.stdout.write(`${JSON.stringify({ ...tally, replicas: growths }, null, 2)}\n`)
  expect(stage.deaths).toEqual([])
  expect(tally).toMatchObject({ lost: 0, repeated: 0, strange: 0, early: [] })
  for (const { memoryMb, descriptors } of growths) {
    expect(memoryMb[1]).toBeLessThan(memoryMb[0] * MAX_GROWTH)
    expect(descriptors[1]).toBeLessThanOrEqual(descriptors[0])
  }
  if (save) await saveSoak(tally, growths)
})
