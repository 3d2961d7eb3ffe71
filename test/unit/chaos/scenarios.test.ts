import { expect, test } from 'vitest'
import { parseOptions, passOn, readOptions } from '../../chaos/options.ts'
import { seeded } from '../../support/random.ts'
import { holds, type Figures } from '../../chaos/scenario.ts'
import { chosen, SCENARIOS } from '../../chaos/scenarios.ts'

test('scenario names are unique', () => {
  const names = SCENARIOS.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})

test('the short run has the six most important scenarios', () => {
  expect(chosen({ short: true, only: [] }).map(({ name }) => name)).toEqual([
    'replica-killed',
    'replica-frozen',
    'rolling-restart',
    'broker-killed',
    'replica-blackholed',
    'api-down',
  ])
})

test('scenarios are selected by parts of their names', () => {
  expect(chosen({ short: false, only: ['killed', 'clock'] }).map(({ name }) => name)).toEqual([
    'replica-killed',
    'broker-killed',
    'coordinator-killed',
    'controller-killed',
    'clock-jump',
  ])
})

test('command-line options are passed on to the tests', () => {
  const options = parseOptions(['--short', '--only', 'a,b', '--seed', '7', '--events', '100', '--slack', '4'])
  expect(options).toEqual({
    short: true,
    only: ['a', 'b'],
    seed: 7,
    events: 100,
    slack: 4,
    soak: null,
    logs: null,
    save: false,
  })
  const environment = {}
  passOn(options, environment)
  expect(readOptions(environment)).toEqual(options)
})

function three(seed: number): number[] {
  const random = seeded(seed)
  return [random(), random(), random()]
}

test('a seed repeats its numbers, and another seed has others', () => {
  expect(three(1)).toEqual(three(1))
  expect(three(1)).not.toEqual(three(2))
  expect(three(1).every((number) => number >= 0 && number < 1)).toBe(true)
})

test('a scenario passes if nothing is lost, duplicated or early, no process crashed, and work resumed in time', () => {
  const good: Figures = {
    name: 'x',
    fault: 'x',
    events: 1,
    lost: 0,
    repeated: 0,
    strange: 0,
    early: [],
    recoveries: [{ what: 'x', seconds: 4, boundS: 5 }],
    deaths: [],
  }
  expect(holds(good)).toBe(true)
  const bad: Partial<Figures>[] = [
    { lost: 1 },
    { repeated: 1 },
    { strange: 1 },
    { early: ['x'] },
    { deaths: ['x'] },
    { recoveries: [{ what: 'x', seconds: Infinity, boundS: 5 }] },
  ]
  expect(bad.filter((change) => holds({ ...good, ...change }))).toEqual([])
})
