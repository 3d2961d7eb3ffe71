import { describe, expect, test } from 'vitest'
import { CASES, chosen } from '../../quota/cases.ts'
import { DISTURBANCES } from '../../quota/disturbances.ts'
import { backlogOf } from '../../quota/loads.ts'
import { parseOptions, passOn, readOptions } from '../../quota/options.ts'

function pairs(one: 'permits' | 'replicas', other: 'replicas' | 'load', mode: string): Set<string> {
  const calm = CASES.filter((played) => played.mode === mode && played.load !== 'light')
  return new Set(
    calm
      .filter(({ disturbance }) => disturbance === undefined)
      .map((played) => `${played[one]} ${played[other]}`),
  )
}

test('every case has a name of its own', () => {
  expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length)
})

test.for(['partition', 'redis'])('in %s mode every two values of N, replicas and backlog meet', (mode) => {
  for (const permits of [5, 10, 50, 200]) {
    for (const replicas of [1, 2, 4])
      expect(pairs('permits', 'replicas', mode)).toContain(`${permits} ${replicas}`)
    for (const load of ['even', 'skewed', 'one'])
      expect(pairs('permits', 'load', mode)).toContain(`${permits} ${load}`)
  }
  for (const replicas of [1, 2, 4])
    for (const load of ['even', 'skewed', 'one'])
      expect(pairs('replicas', 'load', mode)).toContain(`${replicas} ${load}`)
})

test('everything happens in both modes, but for what can only happen in one', () => {
  for (const { name, only } of DISTURBANCES) {
    const modes = CASES.filter(({ disturbance }) => disturbance?.name === name).map(({ mode }) => mode)
    expect(modes).toEqual(only === undefined ? ['partition', 'redis'] : [only])
  }
})

test('the short form has what matters most', () => {
  expect(chosen({ short: true, only: [] }).map(({ name }) => name)).toEqual([
    'partition-n5-r4-one',
    'partition-n50-r4-skewed',
    'redis-n50-r4-one',
    'redis-n200-r4-even',
    'partition-light-n50-r2',
    'partition-rolling-restart',
    'partition-killed',
    'redis-frozen',
    'redis-redis-restarted',
  ])
})

test('cases are chosen by parts of their names', () => {
  expect(chosen({ short: false, only: ['killed', 'partition-n5-'] }).map(({ name }) => name)).toEqual([
    'partition-n5-r1-even',
    'partition-n5-r2-skewed',
    'partition-n5-r4-one',
    'partition-killed',
    'redis-killed',
  ])
})

test('what the command is told reaches the tests', () => {
  const options = parseOptions(['--short', '--only', 'a,b', '--seed', '7', '--slack', '4', '--logs', 'x'])
  expect(options).toEqual({ short: true, only: ['a', 'b'], seed: 7, slack: 4, logs: 'x', save: false })
  const environment = {}
  passOn(options, environment)
  expect(readOptions(environment)).toEqual(options)
})

describe('a backlog', () => {
  test('is spread as its name says, and enough for most of N on any part of it', () => {
    expect(backlogOf('even', 50, 40)).toEqual(Array.from({ length: 8 }, () => 1_200))
    expect(backlogOf('skewed', 50, 40)).toEqual([8_400, 1_200, 1_200, 1_200])
    expect(backlogOf('one', 50, 40)).toEqual([2_000])
  })

  test('is none in light load', () => {
    expect(backlogOf('light', 50, 40)).toEqual([])
  })
})
