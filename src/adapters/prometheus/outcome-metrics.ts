/** What became of the events. Told when their transaction has committed: each outcome is counted once. */
import { DEAD_LETTER_REASONS } from '../../core/dead-letter.ts'
import { DEFER_REASONS } from '../../core/defer.ts'
import { SPOOF_TYPE_SYMBOLS, VERDICT_SYMBOLS } from '../../core/schema-types.ts'
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

/** From a result that never waited to one that was deferred for hours. 60 s is the freshness objective. */
const END_TO_END_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 5, 15, 30, 60, 300, 900, 3600, 14400]

export function outcomeMetrics(instruments: Instruments, topics: readonly string[]): OutcomeMetrics {
  const consumed = instruments.counter('events_consumed_total', 'Records taken on, retry copies included.', {
    topic: topics,
  })
  const redelivered = instruments.counter(
    'redelivered_total',
    'Records that came again after a rebalance and were recognized by their offset.',
    {},
  )
  const duplicates = instruments.counter(
    'duplicates_total',
    'Events without a call because another one of their partition had the same transaction.',
    {},
  )
  const foreign = instruments.counter(
    'foreign_records_total',
    'Records that are not events: skipped, or dead letters with KAFKA_FOREIGN_RECORDS=dead-letter.',
    { kind: FOREIGN_KINDS },
  )
  const unkeyed = instruments.counter(
    'unkeyed_events_total',
    'Events read whose key does not contain their transactionId.',
    {},
  )
  const implausible = instruments.counter(
    'implausible_timestamps_total',
    'Records whose timestamp is before 2015 or more than a day ahead, and left out of ages and latencies.',
    {},
  )
  const unreadable = instruments.counter(
    'unreadable_documents_total',
    'Results without a document because ExtIdInfo could not be read.',
    {},
  )
  const dropped = instruments.counter(
    'dropped_members_total',
    'OCR members of results that said something and could not be kept, by the name the API gives them.',
    { member: MEMBERS },
  )
  const deferred = instruments.counter('deferred_total', 'Events put on a retry topic.', {
    reason: DEFER_REASONS,
  })
  const deadLetters = instruments.counter('dead_letters_total', 'Events put on the dead-letter topic.', {
    reason: DEAD_LETTER_REASONS,
  })
  return {
    consumed: (topic, records) => consumed([topic], records),
    duplicate: () => duplicates([]),
    foreign: (kind) => foreign([kind]),
    unkeyed: () => unkeyed([]),
    implausibleTimestamp: () => implausible([]),
    redelivered: (records) => redelivered([], records),
    resultCommitted: resultMetrics(instruments),
    unreadableDocument: () => unreadable([]),
    droppedMember: (member) => dropped([member]),
    deferred: (reason) => deferred([reason]),
    deadLettered: (reason) => deadLetters([reason]),
  }
}

function resultMetrics(instruments: Instruments): Metrics['resultCommitted'] {
  const results = instruments.counter('results_total', 'Results put on the result topic.', {
    verdict: VERDICT_SYMBOLS,
    sub_code: SUB_CODES,
    family: FAMILIES,
  })
  const risk = instruments.counter('risk_checks_total', 'Results by what was said about forgery or attack.', {
    result: ['risky', 'clean', 'absent'],
  })
  const spoofs = instruments.counter(
    'spoof_signals_total',
    'Kinds of forgery named in risky results; a document may show several.',
    { type: SPOOF_TYPE_SYMBOLS },
  )
  const disagreements = instruments.counter(
    'verdict_disagreements_total',
    "Results that contradict the callback's hint, or whose verdict and sub-code contradict each other.",
    {},
  )
  const endToEnd = instruments.histogram(
    'end_to_end_seconds',
    "From the event record's timestamp to the commit of its result.",
    END_TO_END_BUCKETS,
    {},
  )
  return (facts, endToEndSeconds) => {
    results([facts.verdict, subCodeLabel(facts.subCode), facts.family ?? 'NONE'])
    risk([facts.risk])
    for (const type of facts.spoofTypes) spoofs([type])
    if (facts.disagrees) disagreements([])
    // Clocks differ: a record may come from the future.
    if (endToEndSeconds !== null) endToEnd([], Math.max(0, endToEndSeconds))
  }
}
