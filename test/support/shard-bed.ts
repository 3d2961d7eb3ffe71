/** A shard whose records, sink and clock are controlled by the test. */
import { Lane } from '../../src/pipeline/delivery/lane.ts'
import { Shards, type ShardsOptions } from '../../src/pipeline/delivery/shards.ts'
import { Shard, type ShardOptions } from '../../src/pipeline/delivery/shard.ts'
import type { LaneOptions } from '../../src/pipeline/delivery/lane-options.ts'
import type { Blocked } from '../../src/pipeline/delivery/blocked-partitions.ts'
import type { Counts, ProcessedRecord } from '../../src/pipeline/record/outputs.ts'
import { RecordBudget } from '../../src/pipeline/delivery/record-budget.ts'
import type { RecordContext } from '../../src/pipeline/record/process-record.ts'
import type { InputRecord } from '../../src/ports.ts'
import { FakeClock, flushPromises } from './fake-clock.ts'
import { FakeShard } from './fake-shard.ts'
import { fakeLog, fakeMetrics, inputRecord } from './fakes.ts'

interface Started {
  readonly record: InputRecord
  readonly context: RecordContext
  readonly resolve: (processed: ProcessedRecord | null) => void
  readonly reject: (error: unknown) => void
}

type Changes = Partial<ShardOptions & LaneOptions>

/** The only lane of {@link shardOn}. */
export const IN_0 = { topic: 'in', partition: 0 }

/** Records finish when the test says so. */
export function shardOn(broker: FakeShard, changes: Changes = {}, partitions = [IN_0]) {
  const clock = new FakeClock()
  const metrics = fakeMetrics()
  const log = fakeLog()
  const started: Started[] = []
  const flow: string[] = []
  const defects: unknown[] = []
  const blocks: (Blocked | null)[] = []
  const lanes: Lane[] = []
  const shared = {
    clock,
    metrics,
    log,
    deadLetterLimit: { allows: () => true },
    blocked: {
      block: (blocked: Blocked) => void blocks.push(blocked),
      clear: () => void blocks.push(null),
      forget: () => void blocks.push(null),
    },
  }
  const budget = new RecordBudget()
  const shard = new Shard({
    ...shared,
    shard: 0,
    claim: broker.claim,
    createLane: (of, owner) => {
      const lane = new Lane({
        ...shared,
        ...of,
        owner,
        delayMs: of.topic === IN_0.topic ? 0 : 10_000,
        processRecord: (record, context) =>
          new Promise((resolve, reject) => void started.push({ record, context, resolve, reject })),
        flow: {
          pause: () => void flow.push('pause'),
          resume: () => void flow.push('resume'),
          seek: (offset) => void flow.push(`seek ${offset}`),
        },
        outputs: { replacement: () => null },
        budget,
        mayStartMore: () => true,
        deadLetterNotices: { add: () => undefined },
        onDefect: (error) => void defects.push(error),
        ...changes,
      })
      lanes.push(lane)
      return lane
    },
    ...changes,
  })
  shard.assign(partitions)
  const [lane] = lanes
  if (lane === undefined) throw new Error('The shard has no lane.')
  const finishAs = async (counts: Counts, ...offsets: number[]): Promise<void> => {
    for (const offset of offsets) last(started, offset).resolve(processedOf(offset, counts))
    await flushPromises()
  }
  return {
    shard,
    lane,
    lanes,
    log,
    clock,
    metrics,
    flow,
    defects,
    blocks,
    started,
    /** Offsets whose processing has started, in that order and with repetitions. */
    begun: () => started.map(({ record }) => Number(record.offset)),
    receive: async (...offsets: number[]): Promise<void> => {
      lane.receive(offsets.map((offset) => inputRecord(offset)))
      await flushPromises()
    },
    /** Finishes the latest processing of each of these offsets. */
    finish: (...offsets: number[]): Promise<void> => finishAs(PENDING, ...offsets),
    finishAs,
    giveUp: (offset: number): void => last(started, offset).resolve(null),
  }
}

function last(started: readonly Started[], offset: number): Started {
  const found = started.findLast(({ record }) => record.offset === BigInt(offset))
  if (found === undefined) throw new Error(`Processing of offset ${offset} has not started.`)
  return found
}

const PENDING: Counts = { kind: 'deferred', reason: 'pending' }

function processedOf(offset: number, counts: Counts): ProcessedRecord {
  const output = { topic: 'out', partition: 0, key: null, value: Buffer.from(String(offset)), headers: [] }
  return { outputs: [output], counts }
}

export async function runningShard(broker = new FakeShard(), changes: Changes = {}, partitions = [IN_0]) {
  const made = shardOn(broker, changes, partitions)
  await flushPromises()
  if (made.shard.phase !== 'running') throw new Error(`The shard is ${made.shard.phase}.`)
  return { ...made, broker }
}

type GivenToShards = 'claim' | 'processRecord' | 'clock' | 'metrics' | 'delayMs' | 'permits'

/** Shards that leave out what the test does not give: no limit, no blocks, no positions to seek. A defect is thrown. */
export function shardsWith(given: Pick<ShardsOptions, GivenToShards> & Partial<ShardsOptions>): Shards {
  return new Shards({
    outputs: { replacement: () => null },
    deadLetterLimit: { allows: () => true },
    deadLetterNotices: { add: () => undefined },
    budget: new RecordBudget(),
    blocked: { block: () => undefined, clear: () => undefined, forget: () => undefined },
    log: fakeLog(),
    onDefect: (error) => {
      throw error
    },
    flow: () => ({ pause: () => undefined, resume: () => undefined, seek: () => undefined }),
    recent: { forgetPartition: () => undefined },
    registryWaiting: () => 0,
    ...given,
  })
}

export function written({ outputs }: FakeShard): number[] {
  return outputs.map(({ value }) => Number(String(value)))
}

/** The first offsets of a partition, in order. */
export function firstOffsets(count: number): number[] {
  return Array.from({ length: count }, (_, offset) => offset)
}
