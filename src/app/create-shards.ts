/** Creates the parts of the pipeline, from decoding a record to its outputs. */
import type { EventDecoder } from '../adapters/registry/decode-event.ts'
import { createEncodeResult } from '../adapters/registry/encode-result.ts'
import type { Config } from '../config.ts'
import { RecentTransactions } from '../core/records/recent-transactions.ts'
import { InputNotices } from '../pipeline/record/input-notices.ts'
import { loggedClaim } from '../pipeline/delivery/logged-claim.ts'
import { Shards, type ShardsOptions } from '../pipeline/delivery/shards.ts'
import { Outputs } from '../pipeline/record/outputs.ts'
import type { PermitQueue } from '../pipeline/calls/permit-queue.ts'
import { RecordBudget } from '../pipeline/delivery/record-budget.ts'
import { createProcessRecord } from '../pipeline/record/process-record.ts'
import type { KnownTopics } from './known-topics.ts'
import type { CheckResult } from '../ports.ts'

export interface ShardsContext extends Pick<
  ShardsOptions,
  | 'claim'
  | 'deadLetterLimit'
  | 'blocked'
  | 'deadLetterNotices'
  | 'clock'
  | 'log'
  | 'metrics'
  | 'onDefect'
  | 'flow'
> {
  readonly config: Config
  /** Name and version, for dead letters. */
  readonly service: string
  readonly permits: PermitQueue
  readonly decoder: EventDecoder
  readonly check: CheckResult
  readonly schemaId: number
  readonly topics: Pick<KnownTopics, 'partitions'>
}

/** Called for each start, because the id of the result schema is only known then. */
export function createShards(options: ShardsContext): Shards {
  const { config, clock, log, metrics, permits, deadLetterLimit, blocked, deadLetterNotices, decoder } =
    options
  const { topics, defer } = config
  const outputs = new Outputs({
    topics,
    retryTopics: defer.retryTopics,
    maxAgeMs: config.deferMaxAgeMs,
    foreignRecords: config.consumer.foreignRecords,
    pii: config.result.pii,
    service: options.service,
    encode: createEncodeResult(options.schemaId),
    partitions: (topic) => options.topics.partitions(topic),
    clock,
  })
  const recent = new RecentTransactions(config.dedupeWindowMs)
  const processRecord = createProcessRecord({
    inputTopic: topics.input,
    decode: decoder.decode,
    check: options.check,
    timeoutMs: config.checkresult.timeoutMs,
    permits,
    outputs,
    recent,
    notices: new InputNotices({ foreignRecords: config.consumer.foreignRecords, clock, metrics, log }),
    clock,
    metrics,
    log,
  })
  const delays = new Map(defer.retryTopics.map(({ topic, delayMs }) => [topic, delayMs]))
  return new Shards({
    claim: loggedClaim(options.claim, { clock, log }),
    processRecord,
    outputs,
    deadLetterLimit,
    deadLetterNotices,
    budget: new RecordBudget(),
    blocked,
    clock,
    metrics,
    log,
    onDefect: options.onDefect,
    delayMs: (topic) => delays.get(topic) ?? 0,
    flow: options.flow,
    recent,
    permits,
    registryWaiting: () => decoder.waiting,
  })
}
