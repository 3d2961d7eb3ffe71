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

test('case names are unique', () => {
  expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length)
})

test.for(['partition', 'redis'])(
  'in %s mode, every pair of values of N, replicas and backlog occurs',
  (mode) => {
    for (const permits of [5, 10, 50, 200]) {
      for (const replicas of [1, 2, 4])
        expect(pairs('permits', 'replicas', mode)).toContain(`${permits} ${replicas}`)
      for (const load of ['even', 'skewed', 'one'])
        expect(pairs('permits', 'load', mode)).toContain(`${permits} ${load}`)
    }
    for (const replicas of [1, 2, 4])
      for (const load of ['even', 'skewed', 'one'])
        expect(pairs('replicas', 'load', mode)).toContain(`${replicas} ${load}`)
  },
)

test('both modes have all incidents except those that only one of them can have', () => {
  for (const { name, only } of DISTURBANCES) {
    const modes = CASES.filter(({ disturbance }) => disturbance?.name === name).map(({ mode }) => mode)
    expect(modes).toEqual(only === undefined ? ['partition', 'redis'] : [only])
  }
})

test('the short run has the most important cases', () => {
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

test('cases are selected by parts of their names', () => {
  expect(chosen({ short: false, only: ['killed', 'partition-n5-'] }).map(({ name }) => name)).toEqual([
    'partition-n5-r1-even',
    'partition-n5-r2-skewed',
    'partition-n5-r4-one',
    'partition-killed',
    'redis-killed',
  ])
})

test('command-line options are passed on to the tests', () => {
  const options = parseOptions(['--short', '--only', 'a,b', '--seed', '7', '--slack', '4', '--logs', 'x'])
  expect(options).toEqual({ short: true, only: ['a', 'b'], seed: 7, slack: 4, logs: 'x', save: false })
  const environment = {}
  passOn(options, environment)
  expect(readOptions(environment)).toEqual(options)
})

describe('a backlog', () => {
  test('is distributed as its name says and large enough to use most of N', () => {
    expect(backlogOf('even', 50, 40)).toEqual(Array.from({ length: 8 }, () => 1_200))
    expect(backlogOf('skewed', 50, 40)).toEqual([8_400, 1_200, 1_200, 1_200])
    expect(backlogOf('one', 50, 40)).toEqual([2_000])
  })

  test('is empty under light load', () => {
    expect(backlogOf('light', 50, 40)).toEqual([])
  })
})
