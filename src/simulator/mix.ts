/** Outcomes for transactions whose id names none: by weight, and the same for the same id and seed. */
import { hash } from './hash.ts'
import { scenarioNamed, type Named } from './scenarios.ts'

/** Throws with a message when a name is unknown or no weight is left. */
export function createMix(
  weights: Readonly<Record<string, number>>,
  seed: number,
): (transactionId: string) => Named {
  const shares = Object.entries(weights).map(([name, weight]) => {
    const scenario = scenarioNamed(name)
    if (scenario === undefined) throw new Error(`There is no scenario "${name}"; --help lists them.`)
    return { scenario, weight }
  })
  const total = shares.reduce((sum, { weight }) => sum + weight, 0)
  const [first] = shares
  if (first === undefined || total <= 0)
    throw new Error('The mix needs at least one scenario with a weight above 0.')
  return (transactionId) => {
    let point = (hash(`${seed}:${transactionId}`) / 2 ** 32) * total
    for (const { scenario, weight } of shares) {
      point -= weight
      if (point < 0) return { scenario, calls: 1 }
    }
    return { scenario: first.scenario, calls: 1 }
  }
}
