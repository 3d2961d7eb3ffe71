/**
 * A long run without faults (`npm run test:soak`): two replicas process a million events, the load of several hours.
 * No event may be lost, repeated or called too early, and neither memory nor descriptors may grow.
 */
import { expect, onTestFinished, test } from 'vitest'
import { FEW_ARENAS, SMALL_HEAP } from '../../dev/harness/small-heap.ts'
import { startStack } from '../../dev/stack/stack.ts'
import { readOptions } from './options.ts'
import { saveSoak } from './report.ts'
import { growthOf, startSampling } from './samples.ts'
import { Stage } from './stage.ts'

const REPLICAS = 2
/** More than two replicas can process, so work is always waiting. */
const PER_SECOND = 3_000
const DEFAULT_EVENTS = 10_000
const MAX_GROWTH = 1.1
/** A small heap, because with memory to spare V8 collects garbage late, and its size says nothing about leaks. */
const SMALL = { NODE_OPTIONS: SMALL_HEAP.join(' '), ...FEW_ARENAS }
/** Of 100 events, one is deferred, one is rejected and one is invalid. */
const KINDS = ['notyet', 'invalidid', 'poison', ...Array.from({ length: 97 }, () => 'passhkid2018')]

const { soak, save } = readOptions(process.env)
const events = soak ?? DEFAULT_EVENTS

test(
  'a million events come out exactly once, and neither memory nor descriptors grow',
  { timeout: 3_600_000 },
  async () => {
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
  },
)
