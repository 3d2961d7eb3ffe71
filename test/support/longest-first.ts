/**
 * Runs the slowest files first, so that both workers finish at about the same time. Durations come from vitest's
 * cache. A fresh clone has none, so files are sorted by size, which says little about files that mostly wait.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const LONGEST = ['brokers-away', 'security', 'stack', 'dlq', 'redrive', 'at-least-once', 'last-line'].map(
  (name) => `/test/integration/${name}.test.ts`,
)

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((left, right) => groupOf(left) - groupOf(right) || placeOf(left) - placeOf(right))
  }
}

function groupOf({ project }: TestSpecification): number {
  return project.config.sequence.groupOrder
}

function placeOf({ moduleId }: TestSpecification): number {
  const at = LONGEST.findIndex((name) => moduleId.endsWith(name))
  return at === -1 ? LONGEST.length : at
}
