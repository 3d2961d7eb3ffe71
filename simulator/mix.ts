/**
 * Picks a scenario by weight for transactions whose id names none. The same id and seed always give the same
 * scenario.
 */
import { hash } from './hash.ts'
import { scenarioNamed, type Named } from './scenarios.ts'

/** Throws an error with a readable message if a name is unknown or all weights are 0. */
export function createMix(
  weights: Readonly<Record<string, number>>,
  seed: number,
): (transactionId: string) => Named {
  const shares = Object.entries(weights).map(([name, weight]) => {
    const scenario = scenarioNamed(name)
    if (scenario === undefined)
      throw new Error(`Unknown scenario "${name}". \`npm start -- simulate --help\` lists all scenarios.`)
    return { scenario, weight }
  })
  const total = shares.reduce((sum, { weight }) => sum + weight, 0)
  const [first] = shares
  if (first === undefined || total <= 0)
    throw new Error('The mix needs at least one scenario with a weight greater than 0.')
  return (transactionId) => {
    let point = (hash(`${seed}:${transactionId}`) / 2 ** 32) * total
    for (const { scenario, weight } of shares) {
      point -= weight
      if (point < 0) return { scenario, calls: 1 }
    }
    return { scenario: first.scenario, calls: 1 }
  }
}
