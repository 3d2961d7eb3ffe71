import { describe, expect, test } from 'vitest'
import { Lane, type LaneOptions } from '../../../src/pipeline/lane.ts'
import type { Settled } from '../../../src/pipeline/outputs.ts'
import type { RecordLife } from '../../../src/pipeline/settle.ts'
import type { InputRecord } from '../../../src/ports.ts'
import { FakeClock, settle } from '../../support/fake-clock.ts'
import { FakePartition } from '../../support/fake-partition.ts'
import { fakeLog, fakeMetrics, inputRecord } from '../../support/fakes.ts'

interface Started {
  readonly record: InputRecord
  readonly life: RecordLife
  readonly resolve: (settled: Settled | null) => void
  readonly reject: (error: unknown) => void
}

/** A lane with everything round it in the test's hand: records finish when the test says so. */
function laneOn(partition: FakePartition, changes: Partial<LaneOptions> = {}) {
  const clock = new FakeClock()
  const metrics = fakeMetrics()
  const started: Started[] = []
  const flow: string[] = []
  const defects: unknown[] = []
  const lane = new Lane({
    topic: 'in',
    partition: 0,
    delayMs: 0,
    claim: partition.claim,
    settle: (record, life) =>
      new Promise((resolve, reject) => void started.push({ record, life, resolve, reject })),
    flow: {
      pause: () => void flow.push('pause'),
      resume: () => void flow.push('resume'),
      seek: (offset) => void flow.push(`seek ${offset}`),
    },
    mayCrowd: () => true,
    clock,
    metrics,
    log: fakeLog(),
    onDefect: (error) => void defects.push(error),
    ...changes,
  })
  return {
    lane,
    clock,
    metrics,
    flow,
    defects,
    started,
    /** Offsets whose work has begun, in that order, with repeats. */
    begun: () => started.map(({ record }) => Number(record.offset)),
    async deliver(...offsets: number[]): Promise<void> {
      lane.deliver(offsets.map((offset) => inputRecord(offset)))
      await settle()
    },
    /** Finishes the work last begun on each of the offsets. */
    async finish(...offsets: number[]): Promise<void> {
      for (const offset of offsets) last(started, offset).resolve(settledOf(offset))
      await settle()
    },
    giveUp(offset: number): void {
      last(started, offset).resolve(null)
    },
  }
}

function last(started: readonly Started[], offset: number): Started {
  const found = started.findLast(({ record }) => record.offset === BigInt(offset))
  if (found === undefined) throw new Error(`Work on offset ${offset} has not begun.`)
  return found
}

function settledOf(offset: number): Settled {
  const output = { topic: 'out', partition: 0, key: null, value: Buffer.from(String(offset)), headers: {} }
  return { outputs: [output], counts: { kind: 'deferred', reason: 'pending' } }
}

async function running(partition = new FakePartition(), changes: Partial<LaneOptions> = {}) {
  const made = laneOn(partition, changes)
  made.lane.start()
  await settle()
  expect(made.lane.state).toBe('running')
  return { ...made, partition }
}

function written({ outputs }: FakePartition): number[] {
  return outputs.map(({ value }) => Number(String(value)))
}

describe('a lane that claims its partition', () => {
  test('starts nothing before the claim has gone through', async () => {
    const partition = new FakePartition()
    partition.hold()
    const { lane, deliver, begun } = laneOn(partition)
    lane.start()
    await deliver(0, 1)
    expect([lane.state, begun()]).toEqual(['claiming', []])
    partition.release()
    await settle()
    expect([lane.state, begun()]).toEqual(['running', [0, 1]])
  })

  test('claims without waiting for a record', async () => {
    const { partition } = await running()
    expect(partition.claims).toBe(1)
  })

  test('tries again with growing pauses when the brokers refuse', async () => {
    const partition = new FakePartition()
    partition.refusals = 3
    const { lane, clock } = laneOn(partition)
    lane.start()
    await clock.advance(100 + 200 + 399)
    expect(lane.state).toBe('claiming')
    await clock.advance(1)
    expect(lane.state).toBe('running')
  })

  test('lets go of a claim that comes when the partition has gone', async () => {
    const partition = new FakePartition()
    partition.hold()
    const { lane } = laneOn(partition)
    lane.start()
    await lane.revoke()
    partition.release()
    await settle()
    expect([lane.state, partition.claims, partition.open]).toEqual(['closed', 1, 0])
  })

  test('does not try again when the partition has gone', async () => {
    const partition = new FakePartition()
    partition.refusals = 1
    const { lane, clock } = laneOn(partition)
    lane.start()
    await settle()
    await lane.revoke()
    expect(clock.timers).toBe(0)
  })
})

describe('what the former owner has committed', () => {
  test('is dropped when it was delivered before the claim', async () => {
    const partition = new FakePartition(2n)
    partition.hold()
    const { lane, deliver, begun, flow } = laneOn(partition)
    lane.start()
    await deliver(0, 1, 2, 3)
    partition.release()
    await settle()
    expect([begun(), flow]).toEqual([[2, 3], []])
  })

  test('is dropped when it is delivered after the claim', async () => {
    const { deliver, begun, flow, metrics } = await running(new FakePartition(2n))
    await deliver(0, 1, 2, 3)
    expect([begun(), flow]).toEqual([[2, 3], []])
    expect(metrics.of('redelivered')).toEqual([[2]])
  })

  test('is read again from its end when the first delivery begins above it', async () => {
    const { deliver, begun, flow, lane } = await running(new FakePartition(5n))
    await deliver(8, 9)
    expect([begun(), flow, lane.backlog]).toEqual([[], ['seek 5'], 0])
    await deliver(5, 6, 7, 8)
    expect(begun()).toEqual([5, 6, 7, 8])
  })

  test('is read again from its end when that delivery came before the claim', async () => {
    const partition = new FakePartition(5n)
    partition.hold()
    const { lane, deliver, begun, flow } = laneOn(partition)
    lane.start()
    await deliver(8, 9)
    partition.release()
    await settle()
    expect([begun(), flow]).toEqual([[], ['seek 5']])
  })

  test('is sought once only: after a gap the records are taken as they come', async () => {
    const { deliver, begun, flow } = await running(new FakePartition(5n))
    await deliver(8)
    await deliver(8, 9)
    expect([begun(), flow]).toEqual([[8, 9], ['seek 5']])
  })

  test('is not sought when the delivery begins below it and goes on after a gap', async () => {
    const { deliver, begun, flow } = await running(new FakePartition(5n))
    await deliver(3, 4)
    await deliver(8)
    expect([begun(), flow]).toEqual([[8], []])
  })
})

describe('a commit', () => {
  test('holds the longest finished prefix only', async () => {
    const { deliver, finish, partition } = await running()
    await deliver(0, 1, 2, 3)
    await finish(2, 1)
    expect(partition.transactions).toEqual([])
    await finish(0)
    expect([written(partition), partition.committed]).toEqual([[0, 1, 2], 3n])
  })

  test('goes over offsets that were never delivered', async () => {
    const { deliver, finish, partition } = await running()
    await deliver(3, 4, 7, 9)
    await finish(9, 7, 4, 3)
    expect(partition.transactions).toEqual([[4, 10n]])
  })

  test('takes one transaction at a time, and what finishes meanwhile goes into the next', async () => {
    const { deliver, finish, partition } = await running()
    await deliver(0, 1, 2)
    partition.hold()
    await finish(0)
    await finish(2, 1)
    partition.release()
    await settle()
    expect(partition.transactions).toEqual([
      [1, 1n],
      [2, 3n],
    ])
  })

  test('waits a little while the lane is busy, so that more goes into it', async () => {
    const { deliver, finish, partition, clock } = await running()
    await deliver(...Array.from({ length: 20 }, (_, offset) => offset))
    await finish(0)
    await clock.advance(49)
    expect(partition.transactions).toEqual([])
    await finish(1, 2)
    await clock.advance(1)
    expect(partition.transactions).toEqual([[3, 3n]])
  })

  test('holds five hundred records at most', async () => {
    const { deliver, finish, partition, clock } = await running()
    const offsets = Array.from({ length: 700 }, (_, offset) => offset)
    await deliver(...offsets)
    await finish(...offsets)
    await clock.advance(1_000)
    expect(partition.transactions).toEqual([
      [500, 500n],
      [200, 700n],
    ])
  })

  test('counts each record when its transaction is through, not before', async () => {
    const { deliver, finish, partition, metrics } = await running()
    await deliver(0)
    partition.hold()
    await finish(0)
    expect(metrics.of('deferred')).toEqual([])
    partition.release()
    await settle()
    expect(metrics.of('deferred')).toEqual([['pending']])
  })
})

describe('a record delivered again', () => {
  test('is recognised by its offset and dropped', async () => {
    const { deliver, begun, metrics } = await running()
    await deliver(0, 1)
    await deliver(0, 1, 2)
    expect(begun()).toEqual([0, 1, 2])
    expect(metrics.of('redelivered')).toEqual([[2]])
    expect(metrics.of('consumed')).toEqual([
      ['in', 2],
      ['in', 1],
    ])
  })

  test('is recognised after its commit too', async () => {
    const { deliver, finish, begun } = await running()
    await deliver(0)
    await finish(0)
    await deliver(0)
    expect(begun()).toEqual([0])
  })
})

describe('a lane that was fenced', () => {
  async function fenced() {
    const made = await running(new FakePartition(0n))
    await made.deliver(0, 1)
    made.partition.faults.push('fenced')
    await made.finish(0)
    return made
  }

  test('drops all it has in hand and lets go of its log', async () => {
    const { lane, partition, metrics } = await fenced()
    expect([lane.state, lane.backlog, partition.open]).toEqual(['fenced', 0, 0])
    expect([written(partition), metrics.of('deferred')]).toEqual([[], []])
  })

  test('does not want the work any more that is under way', async () => {
    const { started } = await fenced()
    expect(started.map(({ life }) => life.wanted())).toEqual([false, false])
  })

  test('neither claims nor takes records until a heartbeat is accepted', async () => {
    const { lane, clock, deliver, partition, begun } = await fenced()
    await clock.advance(60_000)
    await deliver(2)
    expect([lane.state, partition.claims, begun()]).toEqual(['fenced', 1, [0, 1]])
  })

  test('claims again after a heartbeat and reads from what the other has committed', async () => {
    const { lane, deliver, partition, begun, flow } = await fenced()
    partition.committed = 1n
    lane.heartbeat()
    await settle()
    expect([lane.state, partition.claims, flow]).toEqual(['running', 2, ['seek 1']])
    await deliver(0, 1, 2)
    expect(begun()).toEqual([0, 1, 1, 2])
  })

  test('reads from the beginning when nothing was ever committed', async () => {
    const { lane, partition, flow, deliver, begun } = await fenced()
    partition.committed = null
    lane.heartbeat()
    await settle()
    await deliver(0)
    expect([flow, begun()]).toEqual([['seek null'], [0, 1, 0]])
  })

  test('does not write what work from before the fence brings', async () => {
    const { lane, partition, finish } = await fenced()
    lane.heartbeat()
    await settle()
    await finish(1)
    expect(written(partition)).toEqual([])
  })

  test('is done at once when it was draining', async () => {
    const made = await running(new FakePartition(0n))
    await made.deliver(0)
    made.partition.faults.push('fenced')
    const drained = made.lane.drain()
    await made.finish(0)
    await drained
    expect([made.lane.state, made.partition.open]).toEqual(['closed', 0])
  })
})

describe('a transaction that failed', () => {
  test('is made again after a new claim, and no finished record is called again', async () => {
    const { deliver, finish, partition, begun, flow } = await running(new FakePartition(0n))
    await deliver(0, 1)
    partition.faults.push('failed')
    await finish(1, 0)
    expect(partition.claims).toBe(2)
    expect([begun(), written(partition), flow]).toEqual([[0, 1], [0, 1], []])
  })

  test('makes no record go again although the first in hand stands after a gap', async () => {
    const { deliver, finish, partition, begun, flow } = await running(new FakePartition(0n))
    await deliver(0)
    await finish(0)
    await deliver(5, 6)
    partition.faults.push('failed')
    await finish(5)
    expect([begun(), flow]).toEqual([[0, 5, 6], []])
    expect([written(partition), partition.committed]).toEqual([[0, 5], 6n])
  })

  test('leaves the work under way wanted', async () => {
    const { deliver, finish, partition, started } = await running()
    await deliver(0, 1)
    partition.faults.push('failed')
    await finish(0)
    expect(started[1]?.life.wanted()).toBe(true)
    await finish(1)
    expect(written(partition)).toEqual([0, 1])
  })

  test('is counted once and not made again when it had committed after all', async () => {
    const { deliver, finish, partition, metrics, begun } = await running(new FakePartition(0n))
    await deliver(0, 1, 2)
    partition.faults.push('lost')
    await finish(1, 0)
    expect([written(partition), begun()]).toEqual([
      [0, 1],
      [0, 1, 2],
    ])
    expect(metrics.of('deferred')).toHaveLength(2)
    await finish(2)
    expect([written(partition), metrics.of('deferred').length]).toEqual([[0, 1, 2], 3])
  })

  test('starts nothing until the new claim is through', async () => {
    const { deliver, finish, partition, begun, lane, clock } = await running()
    await deliver(0)
    partition.faults.push('failed')
    partition.refusals = 1
    await finish(0)
    await deliver(1)
    expect([lane.state, begun()]).toEqual(['claiming', [0]])
    await clock.advance(100)
    expect([lane.state, begun(), written(partition)]).toEqual(['running', [0, 1], [0]])
  })

  test('drops what another owner has committed meanwhile, also what is still to be delivered', async () => {
    const { deliver, finish, partition, begun } = await running(new FakePartition(0n))
    await deliver(0, 1)
    partition.faults.push('failed')
    partition.committed = 4n
    await finish(0)
    await deliver(2, 3, 4)
    expect(begun()).toEqual([0, 1, 4])
  })
})

describe('a lane whose partition goes', () => {
  test('waits for the transaction under way and closes its log', async () => {
    const { lane, deliver, finish, partition } = await running()
    await deliver(0)
    partition.hold()
    await finish(0)
    const revoked = lane.revoke()
    partition.release()
    await revoked
    expect([written(partition), partition.open, lane.state]).toEqual([[0], 0, 'closed'])
  })

  test('commits nothing that finishes afterwards and takes no record', async () => {
    const { lane, deliver, finish, partition, begun } = await running()
    await deliver(0)
    await lane.revoke()
    await finish(0)
    await deliver(1)
    expect([written(partition), begun()]).toEqual([[], [0]])
  })

  test('does not want its work any more', async () => {
    const { lane, deliver, started } = await running()
    await deliver(0)
    await lane.revoke()
    expect(started[0]?.life.wanted()).toBe(false)
  })

  test('leaves neither timers, nor a paused partition, nor series behind', async () => {
    const { lane, deliver, finish, clock, flow, metrics } = await running()
    await deliver(...Array.from({ length: 2_000 }, (_, offset) => offset))
    await finish(0)
    await lane.revoke()
    expect([clock.timers, flow]).toEqual([0, ['pause', 'resume']])
    expect(metrics.of('partitionLost')).toEqual([['in', 0]])
  })
})

describe('a lane that drains', () => {
  test('starts nothing further, commits what is in flight, and gives up what waits for a permit', async () => {
    const { lane, deliver, finish, giveUp, partition, begun, started } = await running()
    await deliver(0, 1, 2)
    const drained = lane.drain()
    await deliver(3)
    expect(started.map(({ life }) => life.wanted())).toEqual([false, false, false])
    giveUp(2)
    await finish(1)
    expect(lane.state).toBe('running')
    await finish(0)
    await drained
    expect([begun(), written(partition), lane.state]).toEqual([[0, 1, 2], [0, 1], 'closed'])
    expect([partition.committed, partition.open]).toEqual([2n, 0])
  })

  test('waits for calls in flight behind a record that gave up, though they cannot be committed', async () => {
    const { lane, deliver, finish, giveUp, partition } = await running()
    await deliver(0, 1)
    const drained = lane.drain()
    giveUp(0)
    await settle()
    expect(lane.state).toBe('running')
    await finish(1)
    await drained
    expect([written(partition), partition.committed]).toEqual([[], null])
  })

  test('is done at once when it has nothing in hand', async () => {
    const { lane, partition } = await running()
    await lane.drain()
    expect([lane.state, partition.open]).toEqual(['closed', 0])
  })

  test('does not linger for more', async () => {
    const { lane, deliver, finish, giveUp, partition, clock } = await running()
    await deliver(...Array.from({ length: 20 }, (_, offset) => offset))
    await finish(0)
    const drained = lane.drain()
    for (let offset = 1; offset < 20; offset += 1) giveUp(offset)
    await drained
    expect([written(partition), clock.monotonicMs()]).toEqual([[0], 0])
  })

  test('is done at once while it has no claim', async () => {
    const partition = new FakePartition()
    partition.hold()
    const { lane } = laneOn(partition)
    lane.start()
    await lane.drain()
    expect(lane.state).toBe('closed')
  })
})

describe('backpressure', () => {
  test('pauses the partition at the limit of records and resumes it at half', async () => {
    const { lane, deliver, finish, flow, clock } = await running()
    let delivered = 0
    while (flow.length === 0) {
      await deliver(delivered)
      delivered += 1
    }
    expect([flow, lane.backlog]).toEqual([['pause'], delivered])
    for (let offset = 0; flow.length === 1; offset += 1) {
      await finish(offset)
      await clock.advance(50)
    }
    expect([flow, lane.backlog]).toEqual([['pause', 'resume'], delivered / 2])
  })

  test('pauses the partition at the limit of bytes', async () => {
    const { lane, flow } = await running()
    const value = Buffer.alloc(1024 * 1024)
    for (let offset = 0; offset < 4; offset += 1) lane.deliver([inputRecord(offset, { value })])
    expect([flow, lane.backlog]).toEqual([['pause'], 4])
  })
})

describe('while many wait for a permit', () => {
  test('a lane has sixteen records under way, and begins one more for each that finishes', async () => {
    const { deliver, finish, begun } = await running(new FakePartition(), { mayCrowd: () => false })
    await deliver(...Array.from({ length: 40 }, (_, offset) => offset))
    expect(begun()).toHaveLength(16)
    await finish(7)
    expect(begun()).toHaveLength(17)
  })

  test('a lane still comes to the end of what it has', async () => {
    const { deliver, finish, begun, partition, clock } = await running(new FakePartition(), {
      mayCrowd: () => false,
    })
    await deliver(...Array.from({ length: 40 }, (_, offset) => offset))
    for (let offset = 0; offset < 40; offset += 1) await finish(offset)
    await clock.advance(50)
    expect([begun().length, partition.committed]).toEqual([40, 40n])
  })
})

describe('a lane of a retry topic', () => {
  test('starts a record when its delay after its own timestamp is over', async () => {
    const { lane, clock, begun } = await running(new FakePartition(), { delayMs: 10_000 })
    lane.deliver([
      inputRecord(0, { timestampMs: clock.epochMs() - 9_000 }),
      inputRecord(1, { timestampMs: clock.epochMs() - 8_000 }),
    ])
    await clock.advance(999)
    expect(begun()).toEqual([])
    await clock.advance(1)
    expect(begun()).toEqual([0])
    await clock.advance(1_000)
    expect(begun()).toEqual([0, 1])
  })

  test('starts at once what is overdue', async () => {
    const { lane, clock, begun } = await running(new FakePartition(), { delayMs: 10_000 })
    lane.deliver([inputRecord(0, { timestampMs: clock.epochMs() - 60_000 })])
    expect(begun()).toEqual([0])
  })
})

test('a defect in a step is passed on', async () => {
  const { deliver, started, defects } = await running()
  await deliver(0)
  const defect = new TypeError('a defect')
  started[0]?.reject(defect)
  await settle()
  expect(defects).toEqual([defect])
})

test('a call that starts opens the transaction meanwhile', async () => {
  const { deliver, started, partition } = await running()
  await deliver(0)
  started[0]?.life.calling()
  expect(partition.prepared).toBe(1)
})

test('the lag goes from the oldest record in hand to the end of the partition', async () => {
  const { lane, deliver, finish, metrics } = await running()
  await deliver(10, 11)
  lane.progress(12n, 20n)
  await finish(10)
  await finish(11)
  expect(metrics.of('lag').slice(-3)).toEqual([
    ['in', 0, 10],
    ['in', 0, 9],
    ['in', 0, 8],
  ])
  expect(metrics.of('oldestUnsettled').at(-1)).toEqual(['in', 0, null])
})
