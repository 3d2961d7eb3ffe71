/** Metrics of event outcomes. Each outcome is counted once, when its transaction has committed. */
import { DEAD_LETTER_REASONS } from '../../core/dead-letters/dead-letter.ts'
import { DEFER_REASONS } from '../../core/records/defer.ts'
import { SPOOF_TYPE_SYMBOLS, VERDICT_SYMBOLS } from '../../core/records/schema-types.ts'
import { FOREIGN_KINDS, type Metrics } from '../../ports.ts'
import type { Instruments } from './instruments.ts'
import { FAMILIES, MEMBERS, SUB_CODES, subCodeLabel } from './labels.ts'

type OutcomeMetrics = Pick<
  Metrics,
  | 'consumed'
  | 'redelivered'
  | 'duplicate'
  | 'foreign'
  | 'unkeyed'
  | 'implausibleTimestamp'
  | 'resultCommitted'
  | 'unreadableDocument'
  | 'droppedMember'
  | 'deferred'
  | 'deadLettered'
>

/** From results without a wait to those deferred for hours. 60 s is the freshness objective. */
const END_TO_END_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 5, 15, 30, 60, 300, 900, 3600, 14400]

type RecordMetrics = Pick<
  Metrics,
  'consumed' | 'redelivered' | 'foreign' | 'unkeyed' | 'implausibleTimestamp'
>

export function outcomeMetrics(instruments: Instruments, topics: readonly string[]): OutcomeMetrics {
  const duplicates = instruments.counter(
    'duplicates_total',
    'Number of events without a call because an earlier event of their partition had the same transaction.',
    {},
  )
  const unreadable = instruments.counter(
    'unreadable_documents_total',
    'Number of results without a document because ExtIdInfo could not be parsed.',
    {},
  )
  const dropped = instruments.counter(
    'dropped_members_total',
    'Number of OCR members that had a value but could not be kept in the result, by their name in the API.',
    { member: MEMBERS },
  )
  const deferred = instruments.counter('deferred_total', 'Number of events written to a retry topic.', {
    reason: DEFER_REASONS,
  })
  const deadLetters = instruments.counter(
    'dead_letters_total',
    'Number of events written to the dead-letter topic.',
    {
      reason: DEAD_LETTER_REASONS,
    },
  )
  return {
    ...recordMetrics(instruments, topics),
    duplicate: () => duplicates([]),
    resultCommitted: resultMetrics(instruments),
    unreadableDocument: () => unreadable([]),
    droppedMember: (member) => dropped([member]),
    deferred: (reason) => deferred([reason]),
    deadLettered: (reason) => deadLetters([reason]),
  }
}

function recordMetrics(instruments: Instruments, topics: readonly string[]): RecordMetrics {
  const consumed = instruments.counter(
    'events_consumed_total',
    'Number of records consumed, including retry copies.',
    {
      topic: topics,
    },
  )
  const redelivered = instruments.counter(
    'redelivered_total',
    'Number of records that were fetched again after a rebalance and recognized by their offset.',
    {},
  )
  const foreign = instruments.counter(
    'foreign_records_total',
    'Number of records that are not events: skipped, or dead letters with KAFKA_FOREIGN_RECORDS=dead-letter.',
    { kind: FOREIGN_KINDS },
  )
  const unkeyed = instruments.counter(
    'unkeyed_events_total',
    'Number of events whose record key does not contain their transactionId.',
    {},
  )
  const implausible = instruments.counter(
    'implausible_timestamps_total',
    'Number of records with a timestamp before 2015 or more than a day ahead, which are excluded from ages and latencies.',
    {},
  )
  return {
    consumed: (topic, records) => consumed([topic], records),
    redelivered: (records) => redelivered([], records),
    foreign: (kind) => foreign([kind]),
    unkeyed: () => unkeyed([]),
    implausibleTimestamp: () => implausible([]),
  }
}

function resultMetrics(instruments: Instruments): Metrics['resultCommitted'] {
  const results = instruments.counter('results_total', 'Number of results written to the result topic.', {
    verdict: VERDICT_SYMBOLS,
    sub_code: SUB_CODES,
    family: FAMILIES,
  })
  const risk = instruments.counter(
    'risk_checks_total',
    'Number of results by their risk: risky, clean, or absent if the answer had no risk check.',
    {
      result: ['risky', 'clean', 'absent'],
    },
  )
  const spoofs = instruments.counter(
    'spoof_signals_total',
    'Number of forgery types reported in risky results; a document may have several.',
    { type: SPOOF_TYPE_SYMBOLS },
  )
  const disagreements = instruments.counter(
    'verdict_disagreements_total',
    "Number of results that contradict the callback's hint, or whose verdict and sub-code contradict each other.",
    {},
  )
  const endToEnd = instruments.histogram(
    'end_to_end_seconds',
    "Time from the event record's timestamp to the commit of its result, in seconds.",
    END_TO_END_BUCKETS,
    {},
  )
  return (facts, endToEndSeconds) => {
    results([facts.verdict, subCodeLabel(facts.subCode), facts.family ?? 'NONE'])
    risk([facts.risk])
    for (const type of facts.spoofTypes) spoofs([type])
    if (facts.disagrees) disagreements([])
    // Clocks differ, so a record's timestamp may be in the future.
    if (endToEndSeconds !== null) endToEnd([], Math.max(0, endToEndSeconds))
  }
}
