import { expect, onTestFinished, test } from 'vitest'
import { AlertWatch } from '../../chain/alert-watch.ts'
import type { AlertState, Rule } from '../../chain/prometheus-api.ts'

const POLL_MS = 1

/** A Prometheus whose alert states are set by the test. */
function watched(): { watch: AlertWatch; setStates: (states: readonly [string, AlertState][]) => void } {
  const served: { rules: readonly Rule[] } = { rules: [] }
  const watch = new AlertWatch({ rules: () => Promise.resolve(served.rules) }, POLL_MS)
  watch.start()
  onTestFinished(() => watch.stop())
  return {
    watch,
    setStates: (states) => {
      served.rules = states.map(([name, state]) => ({
        name,
        state,
        type: 'alerting',
        query: '',
        health: 'ok',
      }))
    },
  }
}

test('an alert that fired before the start is reported only when it fires again', async () => {
  const { watch, setStates } = watched()
  setStates([['Down', 'firing']])
  await expect.poll(() => watch.firing).toEqual(['Down'])
  const sinceMs = performance.now()
  expect(watch.silent(['Down'], sinceMs)).toEqual(['Down'])

  setStates([['Down', 'inactive']])
  await expect.poll(() => watch.firing).toEqual([])
  setStates([['Down', 'firing']])
  await expect.poll(() => watch.silent(['Down'], sinceMs)).toEqual([])
  expect(watch.story().split('\n')).toHaveLength(3)
})

test('the highest state counts if several rules have the same name', async () => {
  const { watch, setStates } = watched()
  setStates([
    ['Burn', 'firing'],
    ['Burn', 'pending'],
    ['Slow', 'pending'],
  ])
  await expect.poll(() => watch.firing).toEqual(['Burn'])
})

test('the watch is quiet when no alert has fired for the requested time', async () => {
  const { watch, setStates } = watched()
  setStates([['Down', 'firing']])
  await expect.poll(() => watch.firing).toEqual(['Down'])
  await expect(watch.untilQuiet(1, 60)).rejects.toThrow(
    'Down fired although no fault was injected after 0.06 s.',
  )
  setStates([['Down', 'pending']])
  await watch.untilQuiet(20, 5_000)
  expect(watch.firing).toEqual([])
})
