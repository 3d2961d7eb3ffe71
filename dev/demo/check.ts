/** Compares the outputs with the events that were sent. Pure. */
import { isDeepStrictEqual } from 'node:util'
import { describeOutcome } from './outcome.ts'
import type { SimulatorReport } from '../../simulator/report.ts'
import type { Output } from './read-back.ts'
import type { SentEvent } from './send.ts'

export interface Check {
  readonly promise: string
  /** One message for each difference. Empty if there is none. */
  readonly errors: readonly string[]
}

/** An event and all its outputs. */
export interface Pair {
  readonly event: SentEvent
  readonly outputs: readonly Output[]
}

export interface Matched {
  readonly pairs: readonly Pair[]
  /** Outputs of events that were not sent. */
  readonly strays: readonly Output[]
}

export function matchOutputs(
  inputTopic: string,
  sent: readonly SentEvent[],
  outputs: readonly Output[],
): Matched {
  const byPosition = Map.groupBy(outputs, ({ source }) => positionOf(source))
  const pairs = sent.map((event) => {
    const position = positionOf({ ...event, topic: inputTopic })
    const own = byPosition.get(position) ?? []
    byPosition.delete(position)
    return { event, outputs: own }
  })
  return { pairs, strays: [...byPosition.values()].flat() }
}

export function checkOutputs({ pairs, strays }: Matched): readonly Check[] {
  return [
    {
      promise: `each of the ${pairs.length} events has exactly one output (read_committed)`,
      errors: [...pairs.flatMap(outputCountErrors), ...strays.map(strayError)],
    },
    {
      promise: 'each output has the expected verdict, risk, document or reason',
      errors: pairs.flatMap(outcomeErrors),
    },
    { promise: 'dead letters contain the bytes of their events', errors: pairs.flatMap(bytesErrors) },
  ]
}

export function checkQuota(report: SimulatorReport, qps: number): Check {
  const refused = report.callsByCode['Throttling.Api'] ?? 0
  const max = report.maxCallsInASecond
  return {
    promise: `never more than ${qps} calls in any second`,
    errors: [
      ...(max > qps ? [`There were ${max} calls in one second; the quota is ${qps}.`] : []),
      ...(refused > 0 ? [`${refused} calls were rejected with Throttling.Api.`] : []),
    ],
  }
}

function outputCountErrors({ event, outputs }: Pair): string[] {
  return outputs.length === 1 ? [] : [`${event.key} has ${outputs.length} outputs instead of one.`]
}

function strayError({ source, outcome }: Output): string {
  return `There is an output (${describeOutcome(outcome)}) for ${positionOf(source)}, but no event was sent there.`
}

function outcomeErrors({ event, outputs }: Pair): string[] {
  return outputs
    .filter(({ outcome }) => !isDeepStrictEqual(outcome, event.expected))
    .map(({ outcome }) => {
      return `${event.key} should be ${describeOutcome(event.expected)}, but is ${describeOutcome(outcome)}.`
    })
}

function bytesErrors({ event, outputs }: Pair): string[] {
  return outputs
    .filter(({ outcome, value }) => outcome.kind === 'dead-letter' && !isSame(value, event.value))
    .map(() => `The dead letter of ${event.key} does not contain the bytes of its event.`)
}

function isSame(left: Buffer | null, right: Buffer | null): boolean {
  return left === null || right === null ? left === right : left.equals(right)
}

function positionOf({ topic, partition, offset }: Output['source']): string {
  return `${topic}[${partition}]@${offset}`
}
