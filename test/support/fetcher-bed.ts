/** The fetcher with two fake brokers that the test controls, connected by bytes. */
import { Fetcher } from '../../src/adapters/kafka/fetch/fetcher.ts'
import type { Start } from '../../src/adapters/kafka/fetch/log-positions.ts'
import type { Topology } from '../../src/adapters/kafka/admin/topology.ts'
import {
  fakeBroker,
  type FakeBroker,
  type FakeFetchAnswer,
  type FakePartitionAnswer,
  type ListedFake,
} from './fake-broker.ts'
import { FakeClock, flushPromises } from './fake-clock.ts'
import { fakeLog } from './fakes.ts'

export const unreachable = () => Object.assign(new Error('no'), { name: 'KafkaJSConnectionError' })

/** Two brokers that lead the partitions of a topic `in`. Fetches hang until the test answers them. */
export class FetcherBed {
  readonly clock = new FakeClock()
  readonly leaders = new Map<number, number>([
    [0, 1],
    [1, 1],
    [2, 2],
  ])
  readonly committed = new Map<string, bigint>()
  readonly listed = new Map<string, ListedFake>()
  readonly records: string[] = []
  readonly progress: string[] = []
  readonly errors: unknown[] = []
  readonly commits: string[] = []
  readonly lost: string[] = []
  readonly replaced: string[] = []
  readonly log = fakeLog()
  start: Start = 'earliest'
  hasIds = true
  /** Takes effect at the next metadata request. */
  onRefresh: () => void = () => {}
  refreshes = 0
  readonly #open = new Map<number, PromiseWithResolvers<FakeFetchAnswer>>()
  readonly brokers: ReadonlyMap<number, FakeBroker>
  readonly fetcher: Fetcher

  constructor() {
    this.brokers = new Map(
      [1, 2].map((nodeId) => [
        nodeId,
        fakeBroker({
          nodeId,
          onFetch: () => {
            const open = Promise.withResolvers<FakeFetchAnswer>()
            this.#open.set(nodeId, open)
            return open.promise
          },
          onListOffsets: (topic, partition) =>
            this.listed.get(`${topic}:${partition}`) ?? { earliest: 0n, latest: 0n },
        }),
      ]),
    )
    const topology = {
      cluster: {
        findBroker: ({ nodeId }: { nodeId: number }) =>
          Promise.resolve(this.brokers.get(nodeId)?.broker).then(
            (broker) => broker ?? Promise.reject(unreachable()),
          ),
      },
      leaderOf: (_: string, partition: number) => this.leaders.get(partition) ?? -1,
      hasId: () => this.hasIds,
      refresh: () => {
        this.refreshes += 1
        this.onRefresh()
        this.fetcher.refreshed()
        return Promise.resolve()
      },
    } as unknown as Topology
    this.fetcher = new Fetcher({
      topology,
      committed: () => Promise.resolve(this.committed),
      commit: (offsets) => {
        this.commits.push(...offsets.map(({ topic, partition, offset }) => `${topic}:${partition}@${offset}`))
        return Promise.resolve()
      },
      startOf: () => this.start,
      onLost: ({ partition }, offsets) => this.lost.push(`${partition}: ${offsets}`),
      onReplaced: ({ partition }, begin) => this.replaced.push(`${partition} from ${begin}`),
      clock: this.clock,
      log: this.log,
      onRecords: (topic, partition, records) => {
        const all = records.map(({ offset, value }) => `${offset}=${String(value)}`)
        this.records.push(`${topic}:${partition} ${all.join(' ')}`)
      },
      onProgress: ({ key, next, log }) => this.progress.push(`${key} at ${next} of ${log?.highWatermark}`),
      onActivity: () => {},
      onError: (error) => {
        this.errors.push(error)
        return (error as { type?: string }).type === 'TOPIC_AUTHORIZATION_FAILED'
      },
    })
  }

  async assign(partitions: number[], { isSameMember = true } = {}): Promise<void> {
    this.fetcher.assign({ in: partitions }, { isSameMember })
    await flushPromises()
  }

  /** The latest request to the broker. */
  asked(nodeId = 1) {
    return this.brokers.get(nodeId)?.fetches.at(-1)
  }

  fetches(nodeId = 1): number {
    return this.brokers.get(nodeId)?.fetches.length ?? 0
  }

  async answer(answer: FakePartitionAnswer | FakeFetchAnswer | Error | null, nodeId = 1): Promise<void> {
    const open = this.#open.get(nodeId)
    this.#open.delete(nodeId)
    if (answer === null) open?.resolve({ partitions: [] })
    else if (answer instanceof Error) open?.reject(answer)
    else if ('partitions' in answer) open?.resolve(answer)
    else open?.resolve({ partitions: [answer] })
    await flushPromises()
    await flushPromises()
  }
}

export const at = (partition: number, rest: Partial<FakePartitionAnswer> = {}): FakePartitionAnswer => ({
  topic: 'in',
  partition,
  ...rest,
})
