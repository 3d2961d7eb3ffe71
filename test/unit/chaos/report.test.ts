import { expect, test } from 'vitest'
import { parseOptions } from '../../chaos/options.ts'
import { savedFigures } from '../../chaos/report.ts'
import { commandText } from '../../support/arguments.ts'

test('the figures of a scenario are saved with the slowest of its repeated steps', () => {
  const recoveries = [
    { what: 'one replaced', seconds: 0.5, boundS: 5 },
    { what: 'one replaced', seconds: 1.3, boundS: 5 },
    { what: 'all replaced', seconds: 0.2, boundS: 5 },
  ]
  const figures = {
    name: 'rolling-restart',
    fault: 'all replaced',
    events: 100,
    lost: 0,
    repeated: 1,
    strange: 2,
  }
  expect(savedFigures({ ...figures, early: ['call 1'], recoveries, deaths: [] })).toEqual({
    name: 'rolling-restart',
    fault: 'all replaced',
    events: 100,
    lost: 0,
    repeated: 3,
    early: 1,
    recoveries: [
      { what: 'one replaced', seconds: 1.3 },
      { what: 'all replaced', seconds: 0.2 },
    ],
  })
})

test('the command of saved figures is accepted by the suite', () => {
  const text = commandText('test:chaos', { short: true, only: '', seed: 7, events: 100 })
  expect(text).toBe('npm run test:chaos -- --short --seed 7 --events 100')
  expect(parseOptions(text.split(' -- ')[1]?.split(' ') ?? [])).toMatchObject({
    short: true,
    seed: 7,
    events: 100,
  })
})
