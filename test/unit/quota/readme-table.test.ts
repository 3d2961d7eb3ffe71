import { expect, test } from 'vitest'
import type { Figures } from '../../quota/promises.ts'
import { tableOf } from '../../quota/readme-table.ts'

const FIGURES: Figures = {
  name: 'x',
  mode: 'partition',
  permits: 5,
  replicas: 1,
  load: 'even',
  what: '',
  most: 5,
  used: 0.98,
  usedMeanwhile: null,
  calls: 100,
  throttled: 0,
  unfairness: null,
  waitP99Ms: null,
  besideOutside: null,
  broken: [],
}

test('cases of the same kind share a row, which shows the worst of them in each mode', () => {
  const table = tableOf([
    FIGURES,
    { ...FIGURES, replicas: 4, load: 'one', most: 4, used: 0.975, throttled: 2 },
    { ...FIGURES, mode: 'redis', throttled: 1 },
    { ...FIGURES, load: 'light', waitP99Ms: 20 },
    { ...FIGURES, mode: 'redis', what: 'Redis restarted' },
  ])
  expect(table.split('\n').slice(2, -1)).toEqual([
    '| N = 5, each backlog | 5 | 97.5 % | 2 | 5 | 98.0 % | 1 |',
    '| N = 5, N/2 come | 5 | a permit in 20 ms (p99) | 0 |  |  |  |',
    '| N = 5: Redis restarted |  |  |  | 5 | 98.0 % | 0 |',
  ])
})
