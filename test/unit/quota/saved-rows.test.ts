import { expect, test } from 'vitest'
import type { Figures } from '../../quota/promises.ts'
import { rowsOf } from '../../quota/saved-rows.ts'

const FIGURES: Figures = {
  name: 'x',
  mode: 'partition',
  permits: 5,
  replicas: 1,
  load: 'even',
  what: '',
  max: 5,
  used: 0.98,
  usedMeanwhile: null,
  calls: 100,
  throttled: 0,
  unfairness: null,
  waitP99Ms: null,
  besideOutside: null,
  broken: [],
}

test('cases of the same kind and mode share a row with their worst figures', () => {
  const rows = rowsOf([
    FIGURES,
    { ...FIGURES, replicas: 4, load: 'one', max: 4, used: 0.975, throttled: 2 },
    { ...FIGURES, mode: 'redis', throttled: 1 },
    { ...FIGURES, load: 'light', waitP99Ms: 20 },
    { ...FIGURES, mode: 'redis', what: 'Redis restarted' },
  ])
  const row = { maxInASecond: 5, used: 0.98, waitP99Ms: null, throttled: 0 }
  expect(rows).toEqual([
    { ...row, title: 'N = 5, any backlog', mode: 'partition', used: 0.975, throttled: 2 },
    { ...row, title: 'N = 5, any backlog', mode: 'redis', throttled: 1 },
    { ...row, title: 'N = 5, N/2 events a second', mode: 'partition', used: null, waitP99Ms: 20 },
    { ...row, title: 'N = 5: Redis restarted', mode: 'redis' },
  ])
})
