import { describe, expect, test } from 'vitest'
import { planEvents, type PlannedEvent } from '../../../../dev/demo/plan.ts'
import { SCENARIOS } from '../../../../simulator/scenarios.ts'

const COUNT = 400
const plan = planEvents(COUNT)

function named(name: string): readonly PlannedEvent[] {
  return plan.filter(({ content }) => content.kind === 'event' && content.scenario.name === name)
}

describe('the demo plan', () => {
  test('has the requested number of events, each with a unique number', () => {
    expect(new Set(plan.map(({ number }) => number)).size).toBe(COUNT)
    expect(planEvents(3)).toHaveLength(3)
  })

  test('is reproducible', () => {
    expect(planEvents(COUNT)).toEqual(plan)
  })

  test('contains every scenario of the simulator', () => {
    const missing = SCENARIOS.filter(({ name }) => named(name).length === 0)
    expect(missing.map(({ name }) => name)).toEqual([])
  })

  test('contains some values that cannot be decoded', () => {
    const bytes = plan.filter(({ content }) => content.kind === 'bytes')
    expect(bytes).toHaveLength(5)
    for (const { expected } of bytes) expect(expected).toEqual({ kind: 'dead-letter', reason: 'undecodable' })
  })

  test('consists mostly of events that pass', () => {
    const passing = plan.filter(({ expected }) => expected.kind === 'result' && expected.verdict === 'PASSED')
    expect(passing.length / COUNT).toBeGreaterThan(0.7)
  })

  test('is about half Avro and half JSON', () => {
    const avro = plan.filter(({ content }) => content.kind === 'event' && content.encoding === 'avro')
    expect(avro.length / COUNT).toBeCloseTo(0.5, 1)
  })

  test('uses only documents of a known family', () => {
    const others = plan.filter(({ expected }) => expected.kind === 'result' && expected.family === 'OTHER')
    expect(others.map(({ content }) => content)).toEqual([])
  })

  test('expects dead letters for verifications that never complete, and sends those first', () => {
    expect(named('never')).toEqual([plan[0]])
    expect(plan[0]?.expected).toEqual({ kind: 'dead-letter', reason: 'not-completed' })
  })

  test('sends deferred events early', () => {
    const last = plan.findLastIndex(({ defers }) => defers)
    expect(last).toBeLessThan(COUNT / 2)
  })
})
