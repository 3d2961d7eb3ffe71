import { describe, expect, test } from 'vitest'
import { createMix } from '../../../simulator/mix.ts'

const WEIGHTS = { passhkid2018: 70, failpassport: 20, riskmacaoid: 10 }
const IDS = Array.from({ length: 20_000 }, (_, number) => `demo${String(number).padStart(8, '0')}`)

function namesOf(seed: number, ids = IDS): string[] {
  const pick = createMix(WEIGHTS, seed)
  return ids.map((id) => pick(id).scenario.name)
}

describe('a mix of scenarios', () => {
  test.each([
    ['long ids', IDS],
    ['ids that differ in a few digits', Array.from({ length: 2_000 }, (_, number) => `t${number}`)],
  ])('gives each scenario its share of %s', (_, ids) => {
    const names = namesOf(1, ids)
    for (const [name, weight] of Object.entries(WEIGHTS)) {
      const share = names.filter((picked) => picked === name).length / names.length
      expect(Math.abs(share - weight / 100)).toBeLessThan(0.03)
    }
  })

  test('is the same for the same seed and differs for another seed', () => {
    expect(namesOf(7)).toEqual(namesOf(7))
    expect(namesOf(8)).not.toEqual(namesOf(7))
  })

  test('never selects a scenario with weight 0', () => {
    const pick = createMix({ passhkid2018: 0, failpassport: 1 }, 1)
    expect(new Set(IDS.map((id) => pick(id).scenario.name))).toEqual(new Set(['failpassport']))
  })

  test('uses the number 1 for scenarios that take a number', () => {
    expect(createMix({ notyet: 1 }, 1)('anything')).toMatchObject({ calls: 1, scenario: { name: 'notyet' } })
  })

  test('reports an unknown scenario name', () => {
    expect(() => createMix({ passhkid: 1 }, 1)).toThrow(
      'Unknown scenario "passhkid". `npm start -- simulate --help` lists all scenarios.',
    )
  })

  test.each([{}, { passhkid2018: 0 }])('requires a weight above 0: %j', (weights) => {
    expect(() => createMix(weights, 1)).toThrow('at least one scenario')
  })
})
