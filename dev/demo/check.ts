/** Holds what came out against what was sent. Pure. */
import { isDeepStrictEqual } from 'node:util'
import { describeOutcome } from './outcome.ts'
import type { SimulatorReport } from '../../src/simulator/report.ts'
import type { Output } from './read-back.ts'
import type { SentEvent } from './send.ts'

export interface Check {
  readonly promise: string
  /** What does not hold, in sentences; empty when it all does. */
  readonly faults: readonly string[]
}

/** An event and all that came out of it. */
export interface Pair {
  readonly event: SentEvent
  readonly outputs: readonly Output[]
}

export interface Matched {
  readonly pairs: readonly Pair[]
  /** Outputs that name an event nobody sent. */
  readonly strays: readonly Output[]
}

export function matchOutputs(
  inputTopic: string,
  sent: readonly SentEvent[],
  outputs: readonly Output[],
): Matched {
  const byPlace = Map.groupBy(outputs, ({ source }) => placeOf(source))
  const pairs = sent.map((event) => {
    const place = placeOf({ ...event, topic: inputTopic })
    const own = byPlace.get(place) ?? []
    byPlace.delete(place)
    return { event, outputs: own }
  })
  return { pairs, strays: [...byPlace.values()].flat() }
}

export function checkOutputs({ pairs, strays }: Matched): readonly Check[] {
  return [
    {
      promise: `each of the ${pairs.length} events came out exactly once (read_committed)`,
      faults: [...pairs.flatMap(timesFault), ...strays.map(strayFault)],
    },
    {
      promise: 'each with the verdict, risk, document or reason to be expected',
      faults: pairs.flatMap(outcomeFaults),
    },
    { promise: 'dead letters carry the very bytes that came in', faults: pairs.flatMap(bytesFaults) },
  ]
}

export function checkQuota(report: SimulatorReport, qps: number): Check {
  const refused = report.callsByCode['Throttling.Api'] ?? 0
  const max = report.maxCallsInASecond
  return {
    promise: `never more than ${qps} calls in any second`,
    faults: [
      ...(max > qps ? [`There were ${max} calls in one second.`] : []),
      ...(refused > 0 ? [`${refused} calls were refused with Throttling.Api.`] : []),
    ],
  }
}

function timesFault({ event, outputs }: Pair): string[] {
  return outputs.length === 1 ? [] : [`${event.key} came out ${outputs.length} times.`]
}

function strayFault({ source, outcome }: Output): string {
  return `${placeOf(source)}, where nothing was sent, came out: ${describeOutcome(outcome)}.`
}

function outcomeFaults({ event, outputs }: Pair): string[] {
  return outputs
    .filter(({ outcome }) => !isDeepStrictEqual(outcome, event.expected))
    .map(({ outcome }) => {
      return `${event.key} should be ${describeOutcome(event.expected)}, but is ${describeOutcome(outcome)}.`
    })
}

function bytesFaults({ event, outputs }: Pair): string[] {
  return outputs
    .filter(({ outcome, value }) => outcome.kind === 'dead-letter' && !isSame(value, event.value))
    .map(() => `The dead letter of ${event.key} has other bytes.`)
}

function isSame(left: Buffer | null, right: Buffer | null): boolean {
  return left === null || right === null ? left === right : left.equals(right)
}

function placeOf({ topic, partition, offset }: Output['source']): string {
  return `${topic}[${partition}]@${offset}`
}
