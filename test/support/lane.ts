/** A lane whose records, sink and clock are controlled by the test. */
import type { LaneOptions } from '../../src/pipeline/lane-options.ts'
import { Lane } from '../../src/pipeline/lane.ts'
import type { Blocked } from '../../src/pipeline/blocked-partitions.ts'
import type { Counts, ProcessedRecord } from '../../src/pipeline/outputs.ts'
import { RecordBudget } from '../../src/pipeline/record-budget.ts'
import type { RecordContext } from '../../src/pipeline/process-record.ts'
import type { InputRecord } from '../../src/ports.ts'
import { FakeClock, flushPromises } from './fake-clock.ts'
import { FakePartition } from './fake-partition.ts'
import { fakeLog, fakeMetrics, inputRecord } from './fakes.ts'

interface Started {
  readonly record: InputRecord
  readonly context: RecordContext
  readonly resolve: (processed: ProcessedRecord | null) => void
  readonly reject: (error: unknown) => void
}

/** Records finish when the test says so. */
export function laneOn(partition: FakePartition, changes: Partial<LaneOptions> = {}) {
  const clock = new FakeClock()
  const metrics = fakeMetrics()
  const started: Started[] = []
  const flow: string[] = []
  const defects: unknown[] = []
  const blocks: (Blocked | null)[] = []
  const lane = new Lane({
    topic: 'in',
    partition: 0,
    delayMs: 0,
    claim: partition.claim,
    processRecord: (record, context) =>
      new Promise((resolve, reject) => void started.push({ record, context, resolve, reject })),
    flow: {
      pause: () => void flow.push('pause'),
      resume: () => void flow.push('resume'),
      seek: (offset) => void flow.push(`seek ${offset}`),
    },
    outputs: { replacement: () => null },
    deadLetterLimit: { allows: () => true },
    budget: new RecordBudget(),
    blocked: {
      block: (blocked) => void blocks.push(blocked),
      clear: () => void blocks.push(null),
      forget: () => void blocks.push(null),
    },
    mayStartMore: () => true,
    clock,
    metrics,
    deadLetterNotices: { add: () => undefined },
    log: fakeLog(),
    onDefect: (error) => void defects.push(error),
    ...changes,
  })
  const finishAs = async (counts: Counts, ...offsets: number[]): Promise<void> => {
    for (const offset of offsets) last(started, offset).resolve(processedOf(offset, counts))
    await flushPromises()
  }
  return {
    lane,
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

export async function runningLane(partition = new FakePartition(), changes: Partial<LaneOptions> = {}) {
  const made = laneOn(partition, changes)
  made.lane.start()
  await flushPromises()
  if (made.lane.state !== 'running') throw new Error(`The lane is ${made.lane.state}.`)
  return { ...made, partition }
}

export function written({ outputs }: FakePartition): number[] {
  return outputs.map(({ value }) => Number(String(value)))
}

/** The first offsets of a partition, in order. */
export function firstOffsets(count: number): number[] {
  return Array.from({ length: count }, (_, offset) => offset)
}
